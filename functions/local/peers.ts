import { BlockList, isIP, isIPv4 } from 'node:net';
import { InvalidInputError } from '../../core/errors.ts';

/** Is this the name or number of an address that only this machine reaches? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * Tells the other end of a connection that may be a proxy from one that is a client: a program of this machine, or
 * one that was named.
 *
 * @param named  addresses, or networks such as `172.18.0.0/16`
 * @throws InvalidInputError when one is neither
 */
export function makeIsProxy(named: readonly string[] = []): (address: string) => boolean {
  const proxies = new BlockList();
  for (const text of ['127.0.0.0/8', '::1', ...named]) addNetwork(proxies, text);
  return (address) => isIP(address) !== 0 && proxies.check(address, familyOf(address));
}

function addNetwork(list: BlockList, text: string): void {
  const [, address = '', bits = ''] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const most = isIPv4(address) ? 32 : 128;
  if (isIP(address) === 0 || Number(bits) > most) {
    throw new InvalidInputError(
      'proxy: expected an address or a network such as 172.18.0.0/16, received something else',
      { where: 'proxy' },
    );
  }
  list.addSubnet(address, bits === '' ? most : Number(bits), familyOf(address));
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6');
