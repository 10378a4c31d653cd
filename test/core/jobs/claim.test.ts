import { describe, expect, it } from 'vitest';
import { claimJobId, isClaimed } from '../../../core/jobs/claim.ts';
import { isId } from '../../../core/jobs/keys.ts';
import { AUDIT, MITIGATION, makeTestDeps, putInputs } from './fixtures.ts';

async function makeDeps() {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  return deps;
}
const other = { ...AUDIT, threshold: 0.7 };

describe('claimJobId', () => {
  it('gives equal requests one id and other requests another', async () => {
    const deps = await makeDeps();
    const ids = [
      await claimJobId(deps, AUDIT, undefined),
      await claimJobId(deps, structuredClone(AUDIT), undefined),
      await claimJobId(deps, other, undefined),
    ];
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(ids.every(isId)).toBe(true);
  });

  it('gives twenty equal requests at once one id', async () => {
    const deps = await makeDeps();
    const ids = await Promise.all(Array.from({ length: 20 }, () => claimJobId(deps, AUDIT, undefined)));
    expect(new Set(ids).size).toBe(1);
  });

  it('gives later jobs ids that sort first', async () => {
    const deps = await makeDeps();
    const first = await claimJobId(deps, AUDIT, 'a');
    deps.wait(0.001);
    expect((await claimJobId(deps, AUDIT, 'b')) < first).toBe(true);
  });

  it('lets an idempotency key stand for the content', async () => {
    const deps = await makeDeps();
    const byKey = await claimJobId(deps, AUDIT, 'key');
    expect(await claimJobId(deps, AUDIT, 'key')).toBe(byKey);
    expect(await claimJobId(deps, AUDIT, 'another')).not.toBe(byKey);
    expect(await claimJobId(deps, AUDIT, undefined)).not.toBe(byKey);
  });

  it('refuses an idempotency key that belongs to another request', async () => {
    const deps = await makeDeps();
    await claimJobId(deps, AUDIT, 'key');
    await expect(claimJobId(deps, other, 'key')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it.each([
    [AUDIT.predictions, AUDIT],
    [MITIGATION.manifest, MITIGATION],
    ['uploads/set/model/model.json', MITIGATION],
  ])('gives an equal request another id after %s was uploaded again', async (key, request) => {
    const deps = await makeDeps();
    const first = await claimJobId(deps, request, undefined);
    deps.wait(1);
    expect(await claimJobId(deps, request, undefined)).toBe(first);
    await deps.store.put(key, 'y,sex,p\n');
    const second = await claimJobId(deps, request, undefined);
    expect(second).not.toBe(first);
    expect(await claimJobId(deps, request, undefined)).toBe(second);
  });

  it('lets an idempotency key stand for the uploads as well', async () => {
    const deps = await makeDeps();
    const byKey = await claimJobId(deps, AUDIT, 'key');
    deps.wait(1);
    await deps.store.put(AUDIT.predictions, 'y,sex,p\n');
    expect(await claimJobId(deps, AUDIT, 'key')).toBe(byKey);
  });

  it('claims nothing for a request whose input is missing, and finds a claimed key all the same', async () => {
    const deps = await makeDeps();
    const jobId = await claimJobId(deps, AUDIT, 'key');
    await deps.store.delete(AUDIT.predictions);
    expect(await claimJobId(deps, AUDIT, 'key')).toBe(jobId);
    for (const key of [undefined, 'new']) {
      await expect(claimJobId(deps, other, key)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
    expect(deps.store.keys('requests/')).toHaveLength(1);
  });
});

describe('isClaimed', () => {
  it('is false until the key has its job', async () => {
    const deps = await makeDeps();
    await claimJobId(deps, AUDIT, undefined);
    expect(await isClaimed(deps.store, 'key')).toBe(false);
    await claimJobId(deps, AUDIT, 'key');
    expect(await isClaimed(deps.store, 'key')).toBe(true);
  });
});
