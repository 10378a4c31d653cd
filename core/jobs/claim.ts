import { z } from 'zod';
import { ConflictError } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { JobDeps } from './deps.ts';
import { inputVersions } from './inputs.ts';
import { requestKey } from './keys.ts';
import { hashOf } from './request-hash.ts';
import type { JobRequest } from './schema.ts';
import { createState, readState, type StatePlace } from './state.ts';

/** 36^9 milliseconds reach beyond the year 5000. */
const TIME_DIGITS = 9;
const RANDOM_DIGITS = 16;

/** `requests/{hash}.json` */
const claimSchema = z.strictObject({
  schemaVersion: z.literal(1),
  jobId: z.string(),
  requestHash: z.string(),
});
type Claim = z.output<typeof claimSchema>;

/**
 * The job id of a request; of many equal requests the first one decides it.
 *
 * @param idempotencyKey  equal keys are one request; absent: equal contents over the same uploads are
 * @throws InvalidInputError when an input was never uploaded
 * @throws ConflictError when the idempotency key belongs to a request of other content
 */
export async function claimJobId(
  deps: JobDeps,
  request: JobRequest,
  idempotencyKey: string | undefined,
): Promise<string> {
  const hasKey = idempotencyKey !== undefined;
  const requestHash = hashOf('request', request);
  const place = hasKey
    ? placeOfKey(idempotencyKey)
    : placeOf(hashOf('request', request, await inputVersions(deps.store, request)));
  const known = await readState(deps.store, place);
  if (known !== null) return jobIdOf(known.value, requestHash);
  if (hasKey) await inputVersions(deps.store, request);
  const fresh: Claim = { schemaVersion: 1, jobId: makeJobId(deps), requestHash };
  if ((await createState(deps.store, place.key, fresh)) !== null) return fresh.jobId;
  const first = await readState(deps.store, place);
  return jobIdOf(first?.value ?? fresh, requestHash);
}

/** Does an idempotency key have its job already? */
export async function isClaimed(store: ObjectStore, idempotencyKey: string): Promise<boolean> {
  return (await readState(store, placeOfKey(idempotencyKey))) !== null;
}

function placeOfKey(idempotencyKey: string): StatePlace<Claim> {
  return placeOf(hashOf('key', idempotencyKey));
}

function placeOf(hash: string): StatePlace<Claim> {
  return { key: requestKey(hash), schema: claimSchema };
}

function jobIdOf(claim: Claim, requestHash: string): string {
  if (claim.requestHash === requestHash) return claim.jobId;
  throw new ConflictError('Idempotency-Key: expected a new key for another request, received one in use', {
    where: 'Idempotency-Key',
  });
}

/** Later jobs sort first, so that a listing begins with the newest. */
function makeJobId({ now, randomId }: JobDeps): string {
  const left = 36 ** TIME_DIGITS - 1 - now().getTime();
  return `${left.toString(36).padStart(TIME_DIGITS, '0')}-${randomId().slice(0, RANDOM_DIGITS)}`;
}
