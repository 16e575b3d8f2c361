import { describe, expect, it } from 'vitest';
import { answerWords } from '../../definition/answer-words.ts';
import { refusal } from '../../orchestrator/index/cluster-error.ts';

const IAM =
  'User: anonymous is not authorized to perform: es:ESHttpGet because no resource-based policy allows the es:ESHttpGet action';

describe('the words of a refusal', () => {
  it.each<[string, unknown, string | null]>([
    [
      'a cluster',
      { error: { type: 'x', reason: 'own words', root_cause: [{ reason: 'the root' }] } },
      'the root',
    ],
    ['an API gateway', { Message: IAM }, IAM],
    ['a gateway in small letters', { message: 'Forbidden' }, 'Forbidden'],
    ['an OAuth proxy', { error: 'invalid_token', error_description: 'it has expired' }, 'it has expired'],
    [
      'a problem in RFC 9457’s form',
      { type: 'about:blank', title: 'Denied', detail: 'by rule 7' },
      'by rule 7',
    ],
    ['a list of errors', { errors: [{ message: 'the first' }, { message: 'the second' }] }, 'the first'],
    ['JSON as text', '{"Message":"as text"}', 'as text'],
    ['XML', '<ErrorResponse><Error><Message>no &amp; never</Message></Error></ErrorResponse>', 'no & never'],
    [
      'a page',
      '<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body><h1>Request blocked</h1></body></html>',
      'a page with the title “403 Forbidden”: Request blocked',
    ],
    ['a page without a title', '<html><style>a{}</style><body><p>Go\n away</p></body>', 'a page: Go away'],
    ['a text', 'RBAC: access\n  denied', 'RBAC: access denied'],
    ['nobody', '', null],
    ['nobody in JSON', {}, null],
  ])('are found in the form of %s', (_name, body, words) => {
    expect(answerWords(body)).toBe(words);
  });

  it.each([
    'Authorization=Basic dXNlcjpodXNoaHVzaA==',
    'Bearer hushhush.token is no longer valid',
    'the ApiKey "hushhush" is unknown',
    'password=hushhush is wrong',
    'X-Amz-Security-Token: hushhush',
    '"api_key": "hushhush"',
    'the key AKIAHUSHHUSHHUSHHUSH is unknown',
    'the token eyJhdXNo.aHVzaGh1c2g.c2ln is old',
  ])('hold no secret: %s', (text) => {
    const words = answerWords(text) ?? '';
    expect(words).toContain('***');
    expect(words).not.toMatch(/hushhush|dXNlcjp|HUSHHUSH|aHVzaGh1c2g/i);
  });

  it('stand in one line of bounded length', () => {
    const words = answerWords(`${'long '.repeat(1_000)}\nend`) ?? '';
    expect(words.length).toBe(400);
    expect(words).toMatch(/^[^\n]*…$/);
  });

  it('make a refusal that names signed requests where a domain wants them', () => {
    const { message } = refusal('GET /', 403, { Message: IAM });
    expect(message).toContain(IAM);
    expect(message).toMatch(/SigV4\), and these are not supported/);
    expect(message).not.toContain('this user lacks');
  });

  it('make a refusal that names the privilege on the cluster, or the rights on the alias', () => {
    const body = { error: { type: 'security_exception', reason: 'no' } };
    expect(refusal('GET /_cluster/health/a', 403, body).message).toContain('cluster:monitor/health');
    expect(refusal('GET /_ingest/pipeline/p', 403, body).message).toContain('read_pipeline');
    expect(refusal('PUT /a-1', 403, body).message).toContain('manage and write the indexes of the alias');
  });
});
