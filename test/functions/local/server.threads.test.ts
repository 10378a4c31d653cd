import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AUDIT, post, until, useServers } from './serving.ts';

const { serve } = useServers();

/** Ends after it has written how many threads it may use. */
const COUNTING_WORKER = [
  process.execPath,
  '--input-type=module',
  '--eval',
  `import { writeFileSync } from 'node:fs';
   writeFileSync(process.env.STORE_ROOT + '/threads', process.env.THREADS);`,
] as const;

describe('the threads of a job', () => {
  it.each([
    [1, {}, `${availableParallelism()}`],
    [availableParallelism(), {}, '1'],
    [256, {}, '1'],
    [256, { THREADS: '7' }, '7'],
  ])(
    'are its share of the cores beside %d at a time, given variables %j',
    async (concurrency, given, expected) => {
      const { url, root } = await serve({ command: COUNTING_WORKER, concurrency, workerEnvironment: given });
      await post(`${url}/v1/jobs`, AUDIT);
      expect(await until(() => readFile(path.join(root, 'threads'), 'utf8').catch(() => null))).toBe(
        expected,
      );
    },
  );
});
