import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../core/data/read-json.ts';
import { InvalidInputError } from '../../core/errors.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import type { RunFolder, SetAudits } from './types.ts';

export const RUN_FILE = 'run.json';

/** Far above any run.json or audit; a file that is larger is none. */
const MOST_BYTES = 256 * 2 ** 20;

const number = z.number().nullable();
const fileSchema = z.strictObject({
  name: z.string(),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
});
const cellsSchema = z.array(
  z.looseObject({ group: z.string(), label: z.int().min(0), support: z.int().min(0) }),
);

/** As much of `run.json` as the checks read; what else it holds is pinned by its hash in the decision. */
const runSchema = z.looseObject({
  schemaVersion: z.literal(1),
  tool: z.looseObject({ name: z.string(), version: z.string() }),
  environment: z.looseObject({}),
  preset: z.string(),
  seed: z.int(),
  options: z.looseObject({ metric: z.string() }),
  model: z.looseObject({ name: z.string() }),
  data: z.looseObject({
    rows: z.int(),
    excluded: z.array(z.looseObject({ rows: z.int() })),
    parts: z.array(z.looseObject({ name: z.string(), support: z.int(), cells: cellsSchema })),
    auditedOn: z.string(),
    isIndependent: z.boolean(),
  }),
  splits: z.looseObject({ external: z.string(), test: z.array(z.string()) }).nullable(),
  audited: z
    .array(
      z.looseObject({
        name: z.string(),
        source: z.enum(['split', 'manifest', 'part']),
        support: z.int(),
        cells: cellsSchema,
        before: z.string(),
        after: z.string().nullable(),
      }),
    )
    .min(1),
  outcome: z.looseObject({
    status: z.enum(['improved', 'not-improved', 'rejected']),
    sensitiveFeature: z.string(),
    metric: z.string(),
    before: number,
    after: number,
    aucBefore: number,
    aucAfter: number,
    reasons: z.array(z.string()),
  }),
  threshold: z.looseObject({ value: z.number(), biasShift: z.number() }),
  mask: z.looseObject({ layers: z.array(z.looseObject({ parameter: z.string() })) }).nullable(),
  candidates: z.array(z.looseObject({ id: z.string(), isChosen: z.boolean() })),
  inputs: z.array(fileSchema),
  outputs: z.array(fileSchema),
});

/**
 * What `run.json` of a folder says.
 *
 * @throws InvalidInputError when there is no such file, or it is none that a run wrote
 */
export async function readRun(folder: string): Promise<RunFolder & { readonly text: string }> {
  const text = await readText(folder, RUN_FILE).catch((cause: unknown) => {
    throw new InvalidInputError(
      `run folder "${folder}": expected a folder with a ${RUN_FILE}, received none that can be read (${systemCode(cause)})`,
      { folder },
      { cause },
    );
  });
  const run = parseRun(text);
  return { folder, run, text };
}

function parseRun(text: string): RunRecord {
  const content = parseJson(RUN_FILE, text);
  const parsed = runSchema.safeParse(content);
  if (parsed.success) return content as RunRecord; // as it was written: hashes depend on the order of keys
  const { path: place, message } = parsed.error.issues[0]!;
  throw new InvalidInputError(`${RUN_FILE}: ${place.join('.') || 'it'}: ${message}`, {
    where: place.join('.'),
  });
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidInputError(
      `${name}: expected JSON, received a file that is none or is cut short`,
      { name },
      { cause },
    );
  }
}

/**
 * A file of the folder, parsed.
 *
 * @throws InvalidInputError when its name leads out of the folder, or it cannot be read
 */
export async function readOwnJson(folder: string, name: string): Promise<unknown> {
  return parseJson(name, await readText(folder, name));
}

/** The audits of one set, as the run lists them. */
export async function readAudits(
  folder: string,
  { before, after }: { before: string; after: string | null },
) {
  const read = async (name: string) => (await readOwnJson(folder, name)) as AuditReport;
  const audits: SetAudits = { before: await read(before), after: after === null ? null : await read(after) };
  return audits;
}

async function readText(folder: string, name: string): Promise<string> {
  return readFile(await ownFile(folder, name), 'utf8');
}

/** Bytes of a file of the folder. */
export async function readBytes(folder: string, name: string): Promise<Uint8Array> {
  return readFile(await ownFile(folder, name));
}

/**
 * Path of a file that really lies in the folder: not above it, and not behind a link.
 *
 * @throws InvalidInputError otherwise
 */
export async function ownFile(folder: string, name: string): Promise<string> {
  if (!isOwnName(name)) {
    throw new InvalidInputError(`${JSON.stringify(name)}: expected a path inside the run folder`, { name });
  }
  const segments = name.split('/');
  for (const depth of segments.keys()) {
    const part = path.join(folder, ...segments.slice(0, depth + 1));
    const stats = await lstat(part);
    const isLast = depth === segments.length - 1;
    if (isLast ? stats.isFile() && stats.size <= MOST_BYTES : stats.isDirectory()) continue;
    throw new InvalidInputError(
      `${name}: expected a plain file of the run folder, received a link or something else`,
      {
        name,
      },
    );
  }
  return path.join(folder, ...segments);
}

/** Relative, below the folder, spelled as a run spells it. */
export function isOwnName(name: string): boolean {
  const segments = name.split('/');
  return (
    !/[\\:\p{Cc}]/u.test(name) &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  );
}
