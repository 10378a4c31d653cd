import { z } from 'zod';
import { parseWith } from '../data/parse.ts';
import { type CounterweightError, isCounterweightError } from '../errors.ts';
import { policyChoiceSchema } from '../fairness/policy/presets.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { parseJson } from './json.ts';
import { DEFINITIONS, definitionLockKey, definitionName } from './keys.ts';
import { mitigationSchema, modelAuditSchema, predictionsAuditSchema } from './schema.ts';

const HOUR_MS = 3_600_000;

const everySchema = z
  .strictObject({
    hours: z
      .int()
      .min(1)
      .max(24 * 7)
      .optional(),
    days: z.int().min(1).max(366).optional(),
  })
  .refine(
    ({ hours, days }) => (hours === undefined) !== (days === undefined),
    'must name either hours or days',
  );
export type Every = z.output<typeof everySchema>;

/** `definitions/{name}.json`: what to audit, how often, and what may come out of it. */
export const definitionSchema = z
  .strictObject({
    request: z.discriminatedUnion('kind', [predictionsAuditSchema, modelAuditSchema]),
    every: everySchema,
    /** What every audit must show; maxWorsening is held against the audit before. */
    policy: policyChoiceSchema.optional(),
    /** What to submit when the policy fails; `true`: a mitigation of the audited model. */
    mitigateOnFailure: z.union([z.boolean(), mitigationSchema]).default(false),
  })
  .refine(({ request, mitigateOnFailure }) => mitigateOnFailure !== true || request.kind === 'model-audit', {
    path: ['mitigateOnFailure'],
    message: 'must be a mitigation request, since a predictions audit names no model',
  })
  .refine(({ request }) => request.policy === undefined, {
    path: ['request', 'policy'],
    message: 'belongs beside the request, where it holds for every period',
  });
export type Definition = z.output<typeof definitionSchema>;

/** A definition by its name, or why there is none under it. */
export type NamedDefinition = { readonly name: string } & (
  | { readonly definition: Definition }
  | { readonly error: CounterweightError }
);

/** Every definition in order of name; one that is wrong does not hide the others. */
export async function loadDefinitions(store: ObjectStore): Promise<NamedDefinition[]> {
  const definitions: NamedDefinition[] = [];
  for await (const key of store.listKeys(DEFINITIONS)) {
    const name = definitionName(key);
    if (name !== null) definitions.push(await loadDefinition(store, { name, key }));
  }
  return definitions;
}

async function loadDefinition(
  store: ObjectStore,
  { name, key }: { readonly name: string; readonly key: string },
): Promise<NamedDefinition> {
  const object = await store.read(key);
  try {
    definitionLockKey(name);
    const content =
      object === null ? null : parseJson(Buffer.from(object.body).toString('utf8'), 'definition');
    return { name, definition: parseWith(definitionSchema, content, 'definition') };
  } catch (error) {
    if (isCounterweightError(error) && error.code === 'INVALID_INPUT') return { name, error };
    throw error;
  }
}

/**
 * Start of the period that `now` lies in. Periods are counted from 1970-01-01T00:00Z, so a daily audit runs after
 * midnight UTC and one every 6 hours after 0, 6, 12 and 18 o'clock, however late the clock that asks is.
 */
export function slotOf({ hours = 0, days = 0 }: Every, now: Date): Date {
  const period = (hours + 24 * days) * HOUR_MS;
  return new Date(Math.floor(now.getTime() / period) * period);
}
