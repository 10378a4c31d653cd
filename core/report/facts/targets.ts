import type { RunRecord } from '../../jobs/run-record.ts';
import type { Html } from '../text/html.ts';
import { html } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';

type Outcome = Pick<RunRecord['outcome'], 'sensitiveFeature' | 'features'>;

/** Names of the features, and of the intersections, whose disparities the run was to lower. */
export function targetNames({ sensitiveFeature, features }: Outcome): string[] {
  return features?.map((each) => each.sensitiveFeature) ?? [sensitiveFeature];
}

/** What the figure of the outcome is by: a feature, or the largest of several. */
export function byTargets(outcome: Outcome): Html {
  if (outcome.features === undefined) return html`by ${nameHtml(outcome.sensitiveFeature)}`;
  return html`(the largest of those by ${nameList(targetNames(outcome))})`;
}
