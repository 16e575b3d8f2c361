/**
 * How a service says that it wants requests signed with IAM credentials (AWS Signature Version 4). A domain whose access
 * policy allows IAM identities alone does so, and Amazon OpenSearch Serverless. Source: Amazon OpenSearch Service
 * Developer Guide, "Identity and Access Management" and "Troubleshooting"; the words of API Gateway's IAM authoriser.
 */
const WANTS_SIGNATURE = [
  /\bnot authorized to perform:? (es|aoss):/i,
  /\bno (resource|identity)-based policy allows\b/i,
  /Authorization header requires '(Credential|Signature|SignedHeaders)'/i,
  /\bmissing authentication token\b/i,
  /\bsecurity token included in the request is invalid\b/i,
  /\bcredential should be scoped to\b/i,
  /\brequest signature we calculated does not match\b/i,
];

/** What a person does about a service that wants signed requests. Null where the words do not say so. */
export function signedRequestsAdvice(words: string): string | null {
  if (!WANTS_SIGNATURE.some((pattern) => pattern.test(words))) return null;
  return 'This service takes only requests that are signed with IAM credentials (SigV4), and these are not supported. On Amazon OpenSearch Service, switch on fine-grained access control with the internal user database, let the access policy admit this network, and use an internal user with its password. Amazon OpenSearch Serverless has no such users.';
}
