import { beforeAll, describe, expect, it } from 'vitest';
import { ALTERED, type Ground, groundOf } from '../../helpers/defect-ground.ts';
import { makePool, type Pool } from '../../helpers/defects.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { DEFECTS, NEED_THE_MODEL } from '../../helpers/planted-defects.ts';
import { withBackend } from '../../helpers/tensors.ts';

/*
 * Defects planted in lesions of HAM10000, and chest X-rays of NIH ChestX-ray14 in their place, before a classifier of
 * lesions. Each must be found for its own reason; on the rows as they are nothing may be.
 */

const folder = useTempFolder();
withBackend('wasm');

let pool: Pool;
let ground: Ground;

beforeAll(async () => {
  pool = await makePool(folder.at('pool'), ALTERED);
  ground = groundOf(pool);
}, 120_000);

describe('the check', () => {
  it('finds nothing in the rows as they are', async () => {
    const { check, duplicates, blank } = await pool.check(ground.clean);
    expect(check.findings).toEqual([]);
    expect(check.verdict).toBe('fit');
    expect(duplicates).toEqual([]);
    expect(blank).toEqual([]);
  });

  it.each(Object.entries(DEFECTS))('finds %s', async (_, { rows, finds, severity, says, ...options }) => {
    const { reference, ...rest } = options;
    const { check } = await pool.check(rows(ground), {
      ...rest,
      withoutModel: !NEED_THE_MODEL.has(finds),
      ...(reference && { reference: reference(ground) }),
    });
    const found = check.findings.filter(({ code }) => code === finds);
    expect(found.length, JSON.stringify(check.findings, null, 1)).toBeGreaterThan(0);
    expect(found.map(({ reason }) => reason).join('\n')).toMatch(says);
    expect(found.map((finding) => finding.severity)).toContain(severity);
    expect(check.verdict === 'unfit').toBe(check.findings.some((each) => each.severity === 'unfit'));
  });
});
