import { allOnesMask, headOnly, randomMask, robust } from './masked.ts';
import type { Method } from './method.ts';
import { bmftReleased, swiftReleased } from './released.ts';
import { untouched } from './untouched.ts';

/** Every method by its name, in the order in which a table lists them. */
export const METHODS: Readonly<Record<string, Method>> = byName([
  untouched,
  headOnly,
  randomMask,
  allOnesMask,
  bmftReleased,
  swiftReleased,
  robust,
]);

function byName(methods: readonly Method[]): Record<string, Method> {
  return Object.fromEntries(methods.map((method) => [method.name, method]));
}
