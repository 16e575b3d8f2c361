import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an `Authorization` header carries the token; takes the same time wherever they differ, however long they are. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(sha256(given), sha256(token));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
