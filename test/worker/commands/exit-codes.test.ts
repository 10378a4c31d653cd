import { expect, it } from 'vitest';
import { EXIT_CODES } from '../../../worker/commands/exit-codes.ts';

it('only what may pass by itself invites to try again, by exit code 75', () => {
  const retried = Object.entries(EXIT_CODES).flatMap(([name, exitCode]) => (exitCode === 75 ? [name] : []));
  expect(retried).toEqual(['CONFLICT', 'STORAGE', 'BACKEND_UNAVAILABLE']);
});
