import { z } from 'zod';
import { parseWith } from '../core/data/parse.ts';
import { readJson } from '../core/data/read-json.ts';
import { StorageError } from '../core/errors.ts';
import { isPresetName, PRESET_NAMES, presetPolicy } from '../core/fairness/policy/presets.ts';
import { type Policy, policySchema } from '../core/fairness/policy/schema.ts';
import type { AuditReport } from '../core/fairness/types.ts';
import { storedAuditSchema } from '../core/jobs/stored-audit.ts';

/**
 * A policy by the name of a preset or from a file.
 *
 * @throws InvalidInputError naming each wrong field, StorageError when there is no such preset or file
 */
export async function readPolicy(choice: string): Promise<Policy> {
  if (isPresetName(choice)) return presetPolicy(choice);
  const content = await readJson(choice).catch((error: unknown) => {
    if (!(error instanceof StorageError) || /[./\\]/.test(choice)) throw error;
    throw new StorageError(
      `--policy: expected a file or one of ${PRESET_NAMES.join(', ')}, received "${choice}"`,
      error.details,
      { cause: error.cause },
    );
  });
  return parseWith(policySchema, content, choice);
}

/** What `--json` prints beside the audit. */
const beside = z.looseObject({ drift: z.unknown(), library: z.unknown() });

/**
 * An earlier audit: an audit.json, or what `--json` printed.
 *
 * @throws InvalidInputError when it is none, StorageError when it cannot be read
 */
export async function readBaseline(file: string): Promise<AuditReport> {
  const { drift, library, ...report } = parseWith(beside.partial(), await readJson(file), file);
  return parseWith(storedAuditSchema, report, file);
}
