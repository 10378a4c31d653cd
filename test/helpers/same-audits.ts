import { expect } from 'vitest';

/**
 * Scores of one network in two formats differ by the rounding of float32, 1e-7, and figures of scores with them; most
 * in calibration, where logits of scores near 0 and 1 multiply it. Counts must be the same.
 */
const DIGITS = 4;

/** Expects two audits, as files hold them, to count the same and to measure the same but for rounding. */
export function expectSameAudit(actual: Buffer, expected: Buffer, name: string): void {
  expect(JSON.parse(actual.toString()), name).toEqual(tolerant(JSON.parse(expected.toString())));
}

function tolerant(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : expect.closeTo(value, DIGITS);
  if (Array.isArray(value)) return value.map(tolerant);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, tolerant(part)]));
}
