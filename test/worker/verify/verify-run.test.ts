import { cp, readFile, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditReport } from '../../../core/fairness/types.ts';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { hashOfRun } from '../../../worker/decision/make-decision.ts';
import { decodeTensors, encodeTensors } from '../../../worker/tensor-file.ts';
import { useWorkshop } from '../../helpers/made-files.ts';
import {
  differing,
  edit,
  fixHashes,
  VERIFY_DATA as INPUTS,
  read,
  verify,
  writeRun,
} from '../../helpers/run-folder.ts';

useWorkshop();

beforeAll(writeRun);

/** Each with the words that must name what was done. */
const MANIPULATIONS: readonly (readonly [
  name: string,
  words: RegExp,
  change: (run: string) => Promise<unknown>,
])[] = [
  [
    'a figure in audit-after.json',
    /files: "audit-after.json" was changed/,
    (run) =>
      edit<AuditReport>(`${run}/audit-after.json`, ({ overall }) =>
        Object.assign(overall.auc, { value: 0.99 }),
      ),
  ],
  [
    'a rate in audit-after.json, the hashes fixed up',
    /audits: audit-after.json: ink ".*": accuracy is 0.123, its counts give/,
    async (run) => {
      await edit<AuditReport>(`${run}/audit-after.json`, ({ features }) => {
        Object.assign(features[0]!.groups[0]!.rates.accuracy, { value: 0.123 });
      });
      await fixHashes(run);
    },
  ],
  [
    'the verdict in run.json',
    /outcome: outcome.status is "not-improved", the audits give "improved"[\s\S]*decision: runSha256 is not that of run.json/,
    (run) =>
      edit<{ outcome: { status: string } }>(`${run}/run.json`, ({ outcome }) => {
        outcome.status = 'not-improved';
      }),
  ],
  [
    'the disparity after in run.json, with the hash in the decision fixed up',
    /outcome: outcome.after is 0.001, the audits give/,
    async (run) => {
      await edit<{ outcome: { after: number } }>(`${run}/run.json`, ({ outcome }) => {
        outcome.after = 0.001;
      });
      const record = await read<RunRecord>(`${run}/run.json`);
      await edit<{ runSha256: string }>(`${run}/decision.json`, (decision) => {
        decision.runSha256 = hashOfRun(record);
      });
      await fixHashes(run);
    },
  ],
  [
    'the file of the model',
    /files: "model\/weights.bin" was changed/,
    async (run) => {
      const bytes = await readFile(`${run}/model/weights.bin`);
      bytes[0] = bytes[0]! ^ 1;
      await writeFile(`${run}/model/weights.bin`, bytes);
    },
  ],
  [
    'an entry of the mask, the hashes fixed up',
    /mask: "hidden\/kernel" selects \d+ weights, run.json says \d+/,
    async (run) => {
      const { tensors, metadata } = decodeTensors(await readFile(`${run}/mask.safetensors`));
      const { values } = tensors.get('hidden/kernel')!;
      values[0] = 1 - values[0]!;
      await writeFile(`${run}/mask.safetensors`, encodeTensors(tensors, metadata));
      await fixHashes(run);
    },
  ],
  ['a deleted file', /files: "mask.safetensors" is missing/, (run) => unlink(`${run}/mask.safetensors`)],
  [
    'a deleted file that the outputs no longer name',
    /files: "mask.safetensors" is missing in the outputs/,
    async (run) => {
      await unlink(`${run}/mask.safetensors`);
      await fixHashes(run);
    },
  ],
  ['an added file', /files: "model\/note.txt" was added/, (run) => writeFile(`${run}/model/note.txt`, 'x')],
  [
    'a sentence of the report, the hashes fixed up',
    /report: report.html is not the one that run.json and the audits make, from line \d+ on/,
    async (run) => {
      const html = await readFile(`${run}/report.html`, 'utf8');
      await writeFile(`${run}/report.html`, html.replace('Nobody has signed', 'Everybody has signed'));
      await fixHashes(run);
    },
  ],
  [
    'a count of flips, the hashes fixed up',
    /decision: flips on "test", ink ".*": those of the positives do not lead from the counts before/,
    async (run) => {
      await edit<{ sets: { flips: { features: { groups: { positives: { toNegative: number } }[] }[] } }[] }>(
        `${run}/decision.json`,
        ({ sets }) => {
          sets[0]!.flips.features[0]!.groups[0]!.positives.toNegative += 1;
        },
      );
      await fixHashes(run);
    },
  ],
  [
    'a point to look at that was taken out, the hashes fixed up',
    /decision: attention is not what run.json and the audits lead to/,
    async (run) => {
      await edit<{ attention: string[] }>(`${run}/decision.json`, (decision) => {
        decision.attention = [];
      });
      await fixHashes(run);
    },
  ],
  [
    'a signature in the decision',
    /decision: signatures is not what/,
    async (run) => {
      await edit<{ signatures: { signature: unknown }[] }>(`${run}/decision.json`, ({ signatures }) => {
        signatures[0]!.signature = 'me';
      });
      await fixHashes(run);
    },
  ],
  [
    'the threshold',
    /record: audited set "test": threshold.value is 0.9, the audit after has/,
    (run) =>
      edit<{ threshold: { value: number } }>(`${run}/run.json`, ({ threshold }) => {
        threshold.value = 0.9;
      }),
  ],
  [
    'the seed',
    /decision: runSha256 is not that of run.json: a setting, seed/,
    (run) =>
      edit<{ seed: number }>(`${run}/run.json`, (record) => {
        record.seed = 7;
      }),
  ],
  [
    'a setting',
    /record: options.batchSize is none that a run can have[\s\S]*decision: runSha256/,
    (run) =>
      edit<{ options: { batchSize: number } }>(`${run}/run.json`, ({ options }) => {
        options.batchSize = -1;
      }),
  ],
  [
    'the support of a cell',
    /record: audited set "test": ".*" has \d+ of label [01], its audit has/,
    (run) =>
      edit<{ audited: { cells: { support: number }[] }[] }>(`${run}/run.json`, ({ audited }) => {
        audited[0]!.cells[0]!.support += 1;
      }),
  ],
  [
    'a file that was cut short',
    /audits: audit-before.json: expected JSON, received a file that is none or is cut short/,
    (run) => truncate(`${run}/audit-before.json`, 2000),
  ],
  [
    'an output whose name leads out of the folder',
    /files: "\.\.\/model\/model.json" leads out of the run folder/,
    (run) =>
      edit<{ outputs: { name: string }[] }>(`${run}/run.json`, ({ outputs }) => {
        outputs[0]!.name = '../model/model.json';
      }),
  ],
  [
    'an audit that is read from elsewhere',
    /audits: "\.\.\/run\/audit-before.json": expected a path inside the run folder/,
    (run) =>
      edit<{ audited: { before: string }[] }>(`${run}/run.json`, ({ audited }) => {
        audited[0]!.before = '../run/audit-before.json';
      }),
  ],
  [
    'a file that is a link to one of the same content',
    /files: "report.html" is missing, or no plain file/,
    async (run) => {
      await unlink(`${run}/report.html`);
      await symlink('../run/report.html', `${run}/report.html`);
    },
  ],
];

describe('counterweight verify, on a folder with a manipulation', () => {
  it.each(MANIPULATIONS)('finds %s', async (_, words, change) => {
    await cp('run', 'changed', { recursive: true });
    try {
      await change('changed');
      const report = await verify('changed');
      expect(report).toMatchObject({ verdict: 'differs', exitCode: 13 });
      expect(differing(report).join('\n')).toMatch(words);
    } finally {
      await rm('changed', { recursive: true });
    }
  });

  it('finds another original, and weights that moved outside of the mask', async () => {
    await cp('model', 'other-model', { recursive: true });
    const bytes = await readFile('other-model/weights.bin');
    const weights = new Float32Array(new Uint8Array(bytes).buffer).map((weight) => weight + 1);
    await writeFile('other-model/weights.bin', Buffer.from(weights.buffer));
    const messages = differing(await verify('run', '--model other-model')).join('\n');
    expect(messages).toMatch(/model: model file "weights.bin" is not the one that the run read/);
    expect(messages).toMatch(/model: "hidden\/kernel" has \d+ weights that moved outside of the mask/);
  });

  it('finds a saved model that is no longer one, though the original is given', async () => {
    await cp('run', 'broken', { recursive: true });
    await truncate('broken/model/weights.bin', 100);
    const report = await verify('broken', `--model model ${INPUTS}`);
    expect(report.exitCode).toBe(13);
    expect(differing(report).join('\n')).toMatch(/files: "model\/weights.bin" was changed[\s\S]*\nmodel: /);
  });

  it('finds other data, and figures that the models do not give on them', async () => {
    const lines = (await readFile('labels.csv', 'utf8')).trimEnd().split('\n');
    const label = lines[0]!.split(',').indexOf('malignant');
    const values = [...new Set(lines.slice(1).map((line) => line.split(',')[label]!))];
    const swapped = lines.map((line, row) =>
      line
        .split(',')
        .map((cell, place) =>
          row > 0 && place === label && row % 5 === 0 ? values.find((value) => value !== cell)! : cell,
        )
        .join(','),
    );
    await writeFile('other.csv', `${swapped.join('\n')}\n`);
    const messages = differing(
      await verify('run', `--model model ${INPUTS.replace('labels.csv', 'other.csv')}`),
    ).join('\n');
    expect(messages).toMatch(/inputs: input "other.csv" is not one that the run read/);
    expect(messages).toMatch(/scores: audit before on "test": (truePositives|trueNegatives|auc) of /);
  });

  it('finds flips that only the models could tell', async () => {
    await cp('run', 'flipped', { recursive: true });
    await edit<{
      sets: {
        flips: {
          overall: { positives: { toPositive: number; toNegative: number }; gained: number; lost: number };
        };
      }[];
    }>('flipped/decision.json', ({ sets }) => {
      const { overall } = sets[0]!.flips;
      overall.positives.toPositive += 1;
      overall.positives.toNegative += 1;
      overall.gained += 1;
      overall.lost += 1;
    });
    await fixHashes('flipped');
    const messages = differing(await verify('flipped', `--model model ${INPUTS}`)).join('\n');
    expect(messages).toMatch(
      /scores: decision.json: flips on "test" are others than those of the two models/,
    );
  });
});
