import type { Explanation } from '../../jobs/explanation.ts';
import { channelsHtml } from '../explained/channels.ts';
import { compositionHtml } from '../explained/composition.ts';
import { occlusionHtml } from '../explained/occlusion.ts';
import { probesHtml } from '../explained/probes.ts';
import { stabilityHtml } from '../explained/stability.ts';
import { bulletList, notice, type Section } from '../page/layout.ts';
import { html, NOTHING } from '../text/html.ts';

/** What the mask holds, how sure it is, what its channels read, and what it changed; numbers are in explanation.json. */
export function maskExplainedSection(explanation: Explanation): Section {
  const { composition, stability, channels, probes, occlusion, limits, sensitiveFeature } = explanation;
  return {
    id: 'mask-explained',
    title: 'Why these weights, and what they changed',
    body: html`${explanation.isApplied ? NOTHING : notice('Note', 'what was kept leaves the body as it was, so the mask below tuned nothing; figures after are of the refitted head.')}
<h3>What the mask is made of</h3>
${compositionHtml(composition)}
<h3>How stable it is</h3>
${stabilityHtml(stability)}
<h3>What the layers tell</h3>
${probesHtml(probes, sensitiveFeature)}
<h3>What matters in the images</h3>
${occlusionHtml(occlusion)}
<h3>Which channels</h3>
${channelsHtml(channels)}
${limits.length === 0 ? NOTHING : bulletList(limits)}`,
  };
}
