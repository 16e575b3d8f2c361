import type { Names } from '../names.ts';
import { bucketArn } from './arns.ts';
import { policy, type PolicyDocument } from './policy-document.ts';

/** The policy of the journal's bucket. It denies every call without TLS. */
export function bucketPolicy(names: Names): PolicyDocument {
  const arn = bucketArn(names);
  return policy({
    Sid: 'TlsAlone',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  });
}
