import ipaddr from 'ipaddr.js';

const { IPv4 } = ipaddr;

/** Blocks of private networks (RFC 1918), carriers' networks (RFC 6598, also used in VPCs) and this machine. */
const PRIVATE: ReadonlySet<string> = new Set(['private', 'carrierGradeNat', 'loopback']);

/** An IPv4 block as AWS takes it, `10.0.0.0/16`: no bit is set behind its prefix. */
export function isCidr(text: string): boolean {
  if (!IPv4.isValidCIDRFourPartDecimal(text)) return false;
  const [, length] = IPv4.parseCIDR(text);
  return text === `${IPv4.networkAddressFromCIDR(text).toString()}/${length}`;
}

/** Whether every address of the block is a private one. Bits behind its prefix do not count: AWS leaves them out. */
export function isPrivate(cidr: string): boolean {
  if (!IPv4.isValidCIDRFourPartDecimal(cidr)) return false;
  const ends = [IPv4.networkAddressFromCIDR(cidr), IPv4.broadcastAddressFromCIDR(cidr)];
  return ends.every((end) => PRIVATE.has(end.range()));
}

/** The block of this one address. Null: the text is no address. */
export function cidrOf(host: string): string | null {
  return IPv4.isValidFourPartDecimal(host) ? `${host}/32` : null;
}
