import { createHash } from 'node:crypto';

/** 160 bits: short enough for a key's segment, long enough that no two requests meet. */
const HEX_DIGITS = 40;

/**
 * Hash of JSON values that does not depend on the order of keys.
 *
 * @returns 40 hexadecimal digits
 */
export function hashOf(...values: readonly unknown[]): string {
  const text = JSON.stringify(values, (_, value: unknown) => (isPlainObject(value) ? sorted(value) : value));
  return createHash('sha256').update(text).digest('hex').slice(0, HEX_DIGITS);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON.stringify walks an object in this order, integer-like keys first in either case. */
function sorted(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
