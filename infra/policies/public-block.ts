import { BlockList, isIPv6 } from 'node:net';
import { isPrivate } from '../settings/cidr.ts';

/** Unique local and link-local addresses (RFC 4193, RFC 4291), each by its prefix. */
const PRIVATE_IPV6 = [
  { address: 'fc00::', length: 7 },
  { address: 'fe80::', length: 10 },
].map(({ address, length }) => {
  const addresses = new BlockList();
  addresses.addSubnet(address, length, 'ipv6');
  return { addresses, length };
});

/** Whether some address of the block is public. A text that is no block counts as public. */
export function isPublic(block: string): boolean {
  const [address = '', length = ''] = block.split('/');
  if (!isIPv6(address)) return !isPrivate(block);
  if (!/^\d{1,3}$/.test(length)) return true;
  return !PRIVATE_IPV6.some(
    (network) => Number(length) >= network.length && network.addresses.check(address, 'ipv6'),
  );
}
