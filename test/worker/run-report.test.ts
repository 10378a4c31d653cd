import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { makeDecision } from '../../worker/decision/make-decision.ts';
import { readFolderJson, renderRunReport } from '../../worker/run-report.ts';
import { FILES, SET } from '../helpers/decision-samples.ts';
import { useTempFolder } from '../helpers/files.ts';
import { IMPROVED_RUN } from '../helpers/report-samples.ts';

const folder = useTempFolder();

describe('renderRunReport', () => {
  it('shows the audits and the decision that lie in the folder', async () => {
    const decision = makeDecision({ run: IMPROVED_RUN, sets: [SET], files: FILES });
    await folder.write('run/audit-before.json', JSON.stringify(SET.before));
    await folder.write('run/audit-after.json', JSON.stringify(SET.after));
    await folder.write('run/decision.json', JSON.stringify(decision));
    const page = await renderRunReport(folder.at('run'), IMPROVED_RUN);
    expect(page).toContain(decision.runSha256);
    expect(page).toMatch(/fell from 0\.650 to 0\.085/);
    expect(await readFolderJson(folder.at('run'), 'decision.json')).toEqual(
      JSON.parse(await readFile(folder.at('run/decision.json'), 'utf8')),
    );
  });
});
