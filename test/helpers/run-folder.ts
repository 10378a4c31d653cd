import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { VerifyReport } from '../../worker/verify/types.ts';
import { runCommand } from './cli.ts';
import { filesIn } from './made-files.ts';

export const VERIFY_DATA =
  '--manifest labels.csv --image file --label malignant --sensitive ink --subject patient --split-column part --preprocess unit';

/** A run in the working folder, under the name of `run`. */
export async function writeRun(): Promise<void> {
  const few = {
    mask: { percentiles: [50] },
    body: { epochs: 2, disparityWeights: [1] },
    selection: { checkpoints: [2] },
  };
  await writeFile('few.json', JSON.stringify(few));
  await runCommand(`mitigate --model model ${VERIFY_DATA} --options few.json --out run`);
}

export const read = async <Content>(file: string) => JSON.parse(await readFile(file, 'utf8')) as Content;
const write = (file: string, content: unknown) => writeFile(file, `${JSON.stringify(content, null, 2)}\n`);

/** Changes a JSON file of a run. */
export async function edit<Content>(file: string, change: (content: Content) => void): Promise<void> {
  const content = await read<Content>(file);
  change(content);
  await write(file, content);
}

/** Brings the list of outputs up to date, as somebody would who knows of it. */
export async function fixHashes(run: string): Promise<void> {
  const files = await filesIn(run);
  await edit<{ outputs: unknown[] }>(`${run}/run.json`, (record) => {
    record.outputs = [...files]
      .filter(([name]) => name !== 'run.json')
      .map(([name, bytes]) => ({
        name,
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      }));
  });
}

export async function verify(run: string, flags = ''): Promise<VerifyReport & { readonly exitCode: number }> {
  const { stdout, exitCode, leaked } = await runCommand(`verify ${run} ${flags} --json`);
  expect(leaked).toBe(0);
  return { ...(JSON.parse(stdout) as VerifyReport), exitCode };
}

export const differing = ({ findings }: VerifyReport) =>
  findings.filter(({ status }) => status === 'differs').map(({ check, message }) => `${check}: ${message}`);
