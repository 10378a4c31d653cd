import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { LOCAL_IMAGES } from '../../core/jobs/keys.ts';
import type { FileRecord, RunRecord } from '../../core/jobs/run-record.ts';
import { hashFile } from '../run-folder.ts';
import { DECISION_FILE, REPORT_FILE } from '../run-report.ts';
import { isOwnName, ownFile, RUN_FILE } from './read-run.ts';
import type { RunFolder } from './types.ts';

export const MASK_FILE = 'mask.safetensors';

/**
 * Files that differ from the list of outputs, are missing, are not in it, or must be and are not. Pictures of the data
 * are in no list, and may be deleted.
 */
export async function filesProblems({ folder, run }: RunFolder): Promise<string[]> {
  const names = run.outputs.map(({ name }) => name);
  const twice = names.filter((name, place) => names.indexOf(name) !== place);
  const changed = await Promise.all(run.outputs.map((output) => fileProblem(folder, output)));
  const listed = new Set([...names, RUN_FILE, LOCAL_IMAGES]);
  const present = await readdir(folder, { recursive: true, withFileTypes: true });
  const extra = present
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((name) => !listed.has(name))
    .sort();
  return [
    ...changed.flat(),
    ...twice.map((name) => `${quoted(name)} is listed twice in the outputs`),
    ...extra.map((name) => `${quoted(name)} was added: no output of the run has its name`),
    ...requiredOutputs(run)
      .filter((name) => !names.includes(name))
      .map((name) => `${quoted(name)} is missing in the outputs, though the run has one`),
    ...(run.outcome.status === 'improved' && !names.some((name) => name.startsWith('model/'))
      ? ['the outputs hold no model, though the outcome is improved']
      : []),
  ];
}

function requiredOutputs({ audited, mask }: RunRecord): string[] {
  const audits = audited.flatMap(({ before, after }) => (after === null ? [before] : [before, after]));
  return [...audits, ...(mask === null ? [] : [MASK_FILE]), DECISION_FILE, REPORT_FILE];
}

async function fileProblem(folder: string, { name, bytes, sha256 }: FileRecord): Promise<string[]> {
  if (!isOwnName(name)) return [`${quoted(name)} leads out of the run folder`];
  const file = await ownFile(folder, name).catch(() => null);
  if (file === null) return [`${quoted(name)} is missing, or no plain file`];
  const found = await hashFile(file);
  if (found.bytes !== bytes)
    return [`${quoted(name)} was changed: ${found.bytes} bytes, the run wrote ${bytes}`];
  return found.sha256 === sha256
    ? []
    : [`${quoted(name)} was changed: its SHA-256 is not the one that the run wrote`];
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
