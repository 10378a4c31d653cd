import { describe, expect, it } from 'vitest';
import { makeThrottle } from '../../../functions/local/throttle.ts';

function throttleAt(start: number) {
  let time = start;
  const throttle = makeThrottle({ now: () => new Date(time), burst: 3, forgetMs: 1000 });
  const fail = (address: string, times: number) => {
    for (let count = 0; count < times; count += 1) throttle.note(address);
  };
  return {
    throttle,
    fail,
    wait: (ms: number) => {
      time += ms;
    },
  };
}

describe('a throttle', () => {
  it('closes for an address after as many failures as it may have, and for no other', () => {
    const { throttle, fail } = throttleAt(0);
    fail('192.0.2.1', 2);
    expect(throttle.isClosed('192.0.2.1')).toBe(false);
    fail('192.0.2.1', 1);
    expect(throttle.isClosed('192.0.2.1')).toBe(true);
    expect(throttle.isClosed('192.0.2.2')).toBe(false);
  });

  it('opens for one more try each time that a failure is forgotten', () => {
    const { throttle, fail, wait } = throttleAt(5000);
    fail('192.0.2.1', 3);
    wait(999);
    expect(throttle.isClosed('192.0.2.1')).toBe(true);
    wait(1);
    expect(throttle.isClosed('192.0.2.1')).toBe(false);
    fail('192.0.2.1', 1);
    expect(throttle.isClosed('192.0.2.1')).toBe(true);
  });

  it.each([
    ['2001:db8::1', '2001:db8:0:0:ffff::2', true],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['::1', '::2', true],
  ])('takes %s and %s for one caller: %s', (one, other, isOne) => {
    const { throttle, fail } = throttleAt(0);
    fail(one, 3);
    expect(throttle.isClosed(other)).toBe(isOne);
  });

  it('forgets the eldest of very many addresses', () => {
    const { throttle, fail } = throttleAt(0);
    for (let address = 0; address <= 10_000; address += 1) fail(`name-${address}`, 3);
    expect(['name-0', 'name-1', 'name-10000'].map(throttle.isClosed)).toEqual([false, true, true]);
  });
});
