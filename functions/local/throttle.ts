import { isIPv6 } from 'node:net';

export interface ThrottleOptions {
  readonly now: () => Date;
  /** Failures that an address may have at once, >= 1. */
  readonly burst?: number;
  /** Until one of them is forgotten, > 0. */
  readonly forgetMs?: number;
}

/** Slows down whoever guesses, address by address, so that nobody can lock others out. */
export interface Throttle {
  /** Must this address wait before its next try? */
  isClosed(address: string): boolean;
  /** One more failure. */
  note(address: string): void;
}

const DEFAULTS = { burst: 10, forgetMs: 6000 } as const;
/** Remembered at most, so that many addresses cost no memory; the eldest is forgotten first. */
const MOST_ADDRESSES = 10_000;

export function makeThrottle(options: ThrottleOptions): Throttle {
  const { now, burst, forgetMs } = { ...DEFAULTS, ...options };
  /** When the last failure of each network will be forgotten. */
  const clearAt = new Map<string, number>();
  const debtOf = (network: string) => Math.max(0, (clearAt.get(network) ?? 0) - now().getTime());
  return {
    isClosed: (address) => debtOf(networkOf(address)) > (burst - 1) * forgetMs,
    note(address) {
      const network = networkOf(address);
      const until = now().getTime() + debtOf(network) + forgetMs;
      clearAt.delete(network);
      clearAt.set(network, until);
      const [eldest] = clearAt.keys();
      if (clearAt.size > MOST_ADDRESSES && eldest !== undefined) clearAt.delete(eldest);
    },
  };
}

/** Of IPv6 the first half: whoever has one such address has 2^64 of them. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const rest = tail?.split(':').filter(Boolean) ?? [];
  const zeros = new Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
