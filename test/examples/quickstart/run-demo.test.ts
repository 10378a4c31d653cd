import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { runDemo } from '../../../examples/quickstart/run-demo.ts';
import { useTempFolder } from '../../helpers/files.ts';

function makeEnvironment() {
  const printed: string[] = [];
  const stream = { write: (text: string) => printed.push(text) };
  const signal = new AbortController().signal;
  return { printed, stdout: stream, stderr: stream, signal, now: () => 0, isDebug: true };
}

/** One setting of the search in place of all. */
const SMALL_SEARCH = {
  mask: { percentiles: [50] },
  body: { disparityWeights: [4] },
  selection: { checkpoints: [5] },
};

describe('runDemo', () => {
  const folder = useTempFolder();

  it('makes data and mitigates the committed classifier, and may be run again', async () => {
    const environment = makeEnvironment();
    await folder.write('run/run.json', 'left by an earlier demo');

    const options = await folder.write('options.json', JSON.stringify(SMALL_SEARCH));

    const exitCode = await runDemo(
      { folder: folder.path, externalCount: 200, testCount: 100, flags: ['--options', options] },
      environment,
    );

    expect(exitCode, environment.printed.join('')).toBe(0);
    const record = JSON.parse(readFileSync(folder.at('run/run.json'), 'utf8')) as RunRecord;
    expect(record).toMatchObject({ preset: 'robust', outcome: { status: 'improved' } });
    expect(record.outcome.after).toBeLessThan(record.outcome.before! / 2);
    expect(existsSync(folder.at('run/report.html'))).toBe(true);
    const output = environment.printed.join('');
    expect(output).toContain('$ npx counterweight mitigate --model');
    expect(output).toContain(`report: ${folder.at('run/report.html')}`);
  });
});
