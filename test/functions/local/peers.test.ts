import { describe, expect, it } from 'vitest';
import { isLoopback, makeIsProxy } from '../../../functions/local/peers.ts';

describe('a loopback address', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('is %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', 'example.org', '127.0.0.1.example.org', '1270.0.0.1'])('is not %s', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('a proxy', () => {
  // A socket for both kinds of addresses gives those of IPv4 in the form of IPv6.
  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])(
    'may be a program of this machine, %s',
    (from) => {
      expect(makeIsProxy()(from)).toBe(true);
    },
  );

  it('is whoever was named, by address or by network, however it is spelled', () => {
    const isProxy = makeIsProxy(['192.0.2.7', '172.18.0.0/16', '2001:DB8::/32', 'fd00:0::1']);
    for (const from of ['192.0.2.7', '::ffff:192.0.2.7', '172.18.255.1', '2001:db8:1::2', 'fd00::1', '::1']) {
      expect(isProxy(from), from).toBe(true);
    }
    for (const from of ['192.0.2.8', '172.19.0.1', '2001:db9::1', 'fd00::2', 'localhost', '']) {
      expect(isProxy(from), from).toBe(false);
    }
  });

  it.each(['', 'proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0', '::/129', '10.0.0.0/8/8'])(
    'cannot be named %j',
    (text) => {
      expect(() => makeIsProxy([text])).toThrow('an address or a network');
    },
  );
});
