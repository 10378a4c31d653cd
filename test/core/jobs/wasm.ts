import { beforeAll } from 'vitest';
import { makeStartBackend } from '../../../functions/lib/backend.ts';

/** Starts the backend that audits count on. */
export function useWasm(): void {
  beforeAll(makeStartBackend());
}
