import { describe, expect, it } from 'vitest';
import { cidrOf, isCidr, isPrivate } from '../../infra/settings/cidr.ts';

describe('the check of an IPv4 CIDR block', () => {
  it.each(['0.0.0.0/0', '10.0.0.0/8', '10.0.128.0/17', '10.1.2.3/32', '255.255.255.255/32'])(
    'accepts %s',
    (block) => {
      expect(isCidr(block)).toBe(true);
    },
  );

  it.each([
    ['a bit set behind its prefix', '10.0.0.1/8'],
    ['a prefix that is too long', '10.0.0.0/33'],
    ['no prefix', '10.0.0.0'],
    ['a prefix below zero', '10.0.0.0/-1'],
    ['a prefix with a zero before it', '10.0.0.0/08'],
    ['three parts', '10.0.0/8'],
    ['octal parts', '010.0.0.0/8'],
    ['hexadecimal parts', '0x0a.0.0.0/8'],
    ['one number', '167772160/8'],
    ['a part above 255', '10.0.0.256/32'],
    ['a space', ' 10.0.0.0/8'],
    ['a line behind it', '10.0.0.0/8\n'],
    ['IPv6', 'fd00::/8'],
    ['IPv4 in IPv6', '::ffff:10.0.0.0/104'],
    ['nothing', ''],
  ])('refuses a block with %s: %j', (_, block) => {
    expect(isCidr(block)).toBe(false);
  });
});

describe('the check of a private IPv4 block', () => {
  it.each(['10.0.0.0/8', '172.16.0.0/12', '192.168.1.0/24', '100.64.0.0/10', '127.0.0.1/32', '10.9.8.7/8'])(
    'accepts %s as private',
    (block) => {
      expect(isPrivate(block)).toBe(true);
    },
  );

  it.each(['0.0.0.0/0', '10.0.0.0/7', '172.16.0.0/11', '192.168.0.0/15', '100.64.0.0/9', '8.8.8.8/32', 'x'])(
    'refuses %s as private',
    (block) => {
      expect(isPrivate(block)).toBe(false);
    },
  );
});

describe('the CIDR block of a host', () => {
  it('is the /32 block of its IPv4 address', () => {
    expect(cidrOf('10.1.2.3')).toBe('10.1.2.3/32');
  });

  it.each(['db.internal', '[::1]', '::1', '10.1', '010.1.2.3', ''])('is null for the host %j', (host) => {
    expect(cidrOf(host)).toBeNull();
  });
});
