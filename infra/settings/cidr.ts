import { BlockList, isIPv4 } from 'node:net';

/** Of private networks (RFC 1918), carriers' networks (RFC 6598, used in VPCs too) and this machine. */
const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
PRIVATE.addSubnet('100.64.0.0', 10);
PRIVATE.addSubnet('127.0.0.0', 8);

/** An IPv4 block as AWS takes it, `10.0.0.0/16`: no bit is set behind its prefix. */
export function isCidr(text: string): boolean {
  const block = parse(text);
  return block !== null && (block.address & hostMask(block.length)) === 0;
}

/** Every address of the block is a private one, whatever bits are set behind its prefix: AWS leaves them out. */
export function isPrivate(cidr: string): boolean {
  const block = parse(cidr);
  if (block === null) return false;
  const open = hostMask(block.length);
  return [block.address & ~open, block.address | open].every((end) => PRIVATE.check(textOf(end)));
}

/** The block of this one address; null: it is none. */
export function cidrOf(host: string): string | null {
  return isIPv4(host) ? `${host}/32` : null;
}

function parse(text: string): { readonly address: number; readonly length: number } | null {
  const [, host = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  if (!isIPv4(host) || Number(length) > 32) return null;
  const address = host.split('.').reduce((number, part) => number * 256 + Number(part), 0);
  return { address, length: Number(length) };
}

/** The bits that a block leaves open. */
function hostMask(length: number): number {
  return length === 0 ? 0xffffffff : length === 32 ? 0 : 2 ** (32 - length) - 1;
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}
