/** Colours by role. Hues are those of Okabe and Ito, darkened or lightened until they can be read as text. */
export interface Palette {
  readonly page: string;
  readonly panel: string;
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly grid: string;
  readonly blue: string;
  readonly orange: string;
  readonly green: string;
  readonly purple: string;
  readonly warningPanel: string;
  readonly notePanel: string;
  /** Shadow at an edge behind which a table goes on. */
  readonly shade: string;
}

export const LIGHT: Palette = {
  page: '#ffffff',
  panel: '#f5f7f9',
  ink: '#1a2129',
  muted: '#55606c',
  rule: '#cfd6dd',
  grid: '#e3e8ec',
  blue: '#0067a3',
  orange: '#b34a00',
  green: '#00684d',
  purple: '#8f3a73',
  warningPanel: '#fdf1e7',
  notePanel: '#eaf3f9',
  shade: '#1a21292e',
};

export const DARK: Palette = {
  page: '#12171c',
  panel: '#1a2128',
  ink: '#e7ebef',
  muted: '#a3afba',
  rule: '#3a454f',
  grid: '#2a333b',
  blue: '#6cc0f0',
  orange: '#f3985a',
  green: '#58c9a5',
  purple: '#e5a0cb',
  warningPanel: '#33231a',
  notePanel: '#172a37',
  shade: '#000000b0',
};

/** The palette as custom properties. */
export function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:${colour};`)
    .join('');
}
