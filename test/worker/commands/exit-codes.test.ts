import { expect, it } from 'vitest';
import { EXIT_CODES } from '../../../worker/commands/exit-codes.ts';

it('only what may pass by itself invites to try again, by exit code 75', () => {
  const retried = Object.entries(EXIT_CODES).filter(([, exitCode]) => exitCode === 75);
});

it('no error ends as success or as a result', () => {
  const { NOT_IMPROVED, ...errors } = EXIT_CODES;
  for (const exitCode of Object.values(errors)) expect(exitCode).not.toBe(NOT_IMPROVED);
  expect(Object.values(EXIT_CODES)).not.toContain(0);
});

it('an interrupt is 128 + SIGINT, as shells have it', () => {
  expect(EXIT_CODES.INTERRUPTED).toBe(128 + 2);
});
