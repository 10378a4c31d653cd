import { describe, expect, it } from 'vitest';
import { DISPARITY_NAMES } from '../../../../core/fairness/types.ts';
import { ENGLISH, languageOf } from '../../../../core/report/language/language.ts';
import { html, render } from '../../../../core/report/text/html.ts';

const JAPANESE = languageOf('ja');

/** Every text of a table of messages by its path; functions are called with marks. */
function textsOf(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'number' || typeof value === 'boolean') return [];
  if (typeof value === 'function') {
    if (path === '.sentence' || path === '.metric') return [];
    const marks = path.endsWith('.joined') ? [html`A`, ['1', '2', '3', '4', '5']] : ['A', 'B', 'C'];
    return textsOf(value(...marks), path);
  }
  if (Object.getOwnPropertySymbols(value).length > 0)
    return [[path, render(value as ReturnType<typeof html>)]];
  return Object.entries(value as object).flatMap(([key, each]) => textsOf(each, `${path}.${key}`));
}

describe('languages', () => {
  const english = new Map(textsOf(ENGLISH.t));
  const japanese = new Map(textsOf(JAPANESE.t));

  it('have the same messages', () => {
    expect([...japanese.keys()].sort()).toEqual([...english.keys()].sort());
    expect(english.size).toBeGreaterThan(200);
  });

  it('say in Japanese what is not a name, a number or a sign', () => {
    const untranslated = [...japanese].filter(
      ([path, text]) => text === english.get(path) && !/^[\W\d]*$/.test(text),
    );
    const kept = new Set(['AUC', 'DeLong', 'Wald', 'TPR', 'FPR', 'PPV', 'counterweight audit']);
    expect(untranslated.filter(([, text]) => !kept.has(text))).toEqual([]);
    for (const [path, text] of japanese) expect(text, path).not.toMatch(/undefined|\[object/);
  });

  it('name every metric of a policy in words of their own', () => {
    for (const name of [...DISPARITY_NAMES, 'worstGroupAuc', 'overallAccuracy'] as const) {
      expect(JAPANESE.t.metric(name)).not.toBe(ENGLISH.t.metric(name));
    }
  });

  it.each([
    ['no positive labels', '陽性ラベルがない'],
    ['group "F" has no positive labels (support 0 of 12)', '群「F」に陽性ラベルがない（12 件中 0 件）'],
    [
      'group "A" has no positive labels (support 0 of 3); group "B" has no samples (support 0 of 0)',
      '群「A」に陽性ラベルがない（3 件中 0 件）、群「B」に標本がない（0 件中 0 件）',
    ],
    ['group "F": no negative labels', '群「F」: 陰性ラベルがない'],
    ['class "nevus": no samples', 'クラス「nevus」: 標本がない'],
    ['the reference group "M" has 0', '基準群「M」の値が 0'],
    [
      'sex "F": only 1 positive label, so rates over them are uncertain',
      'sex「F」: 陽性ラベルは 1 件だけで、それに対する率は不確か',
    ],
    ['sex: 2 small groups were merged into one', 'sex: 小さい 2 群を一つにまとめた'],
    [
      'group "F" has 9 positive labels, the policy asks for 30',
      '群「F」の陽性ラベルは 9 件、方針は 30 件を求める',
    ],
    ['defined for 2 groups only, received 5', '2 群の場合だけ定義される（5 群）'],
    [
      '2 of 3 strata select nobody or everybody, so shares among them are 0/0',
      '3 層のうち 2 層で全員が陽性または全員が陰性と予測され、割合は 0/0',
    ],
    ['a reason that nobody has written yet', 'a reason that nobody has written yet'],
  ])('turn "%s" into Japanese', (text, expected) => {
    expect(JAPANESE.t.sentence(text)).toBe(expected);
    expect(ENGLISH.t.sentence(text)).toBe(text);
  });

  it('write numbers and dates in the form of the place', () => {
    const time = new Date(Date.UTC(2025, 10, 29, 16, 5));
    expect([ENGLISH.day(time), JAPANESE.day(time)]).toEqual(['Nov 29, 2025', '2025/11/29']);
    expect(JAPANESE.minute(time)).toBe('2025/11/29 16:05');
    expect(JAPANESE.count(1234567.89)).toBe('1,234,567.9');
    expect(ENGLISH.range({ low: -0.25, high: 0.5 })).toBe('−0.250 to 0.500');
    expect(JAPANESE.range({ low: -0.25, high: 0.5 })).toBe('−0.250～0.500');
    expect([ENGLISH.rate(null), JAPANESE.rate(Number.NaN)]).toEqual(['not defined', '定義されない']);
    expect(ENGLISH.percent(0.95)).toBe('95%');
  });
});
