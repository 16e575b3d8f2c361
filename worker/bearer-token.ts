import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an `Authorization` header has the token. The comparison always takes the same time, so it reveals nothing. */
function carriesToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(sha256(given), sha256(token));
}

/** Whether a call has what its worker wants: the token. Null: the worker wants none. */
export function mayCall(
  { authorization }: { readonly authorization?: string | undefined },
  token: string | null,
): boolean {
  return token === null || carriesToken(authorization, token);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
