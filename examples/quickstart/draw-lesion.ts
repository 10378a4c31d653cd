import type { Random } from '../../worker/random.ts';

/** Side of an image in pixels. */
export const SIDE = 32;

/** How strongly a lesion shows each sign, in standard deviations around the average of all lesions. */
export interface Signs {
  readonly irregularity: number;
  readonly asymmetry: number;
  readonly darkness: number;
  readonly variety: number;
}

export interface Picture {
  readonly signs: Signs;
  /** Whether violet ink of a surgical pen is in a corner. */
  readonly isMarked: boolean;
}

/** [red, green, blue] in 0 … 255 */
type Colour = readonly [number, number, number];

interface Point {
  readonly x: number;
  readonly y: number;
}

const FAIR_SKIN: Colour = [238, 202, 182];
const TANNED_SKIN: Colour = [206, 160, 132];
const LIGHT_BROWN: Colour = [172, 122, 94];
const DARK_BROWN: Colour = [74, 46, 40];
const BLUE_GREY: Colour = [84, 88, 112];
const RED: Colour = [176, 74, 70];
const HAIR: Colour = [70, 52, 44];
const INK: Colour = [92, 48, 152];

/** Points along a stroke, at most a pixel apart. */
const STROKE_STEPS = 32;

/**
 * Draws one made picture of a skin lesion: shaded skin, the lesion, hairs, ink if marked, sensor noise.
 *
 * @param random  of this picture alone; each part of the picture has a fork of it
 * @returns [SIDE · SIDE · 3] RGB, row by row
 */
export function drawLesion({ signs, isMarked }: Picture, random: Random): Uint8Array {
  const canvas = new Float32Array(SIDE * SIDE * 3);
  paintSkin(canvas, random.fork('skin'));
  paintLesion(canvas, signs, random.fork('lesion'));
  paintHairs(canvas, random.fork('hairs'));
  if (isMarked) paintInk(canvas, random.fork('ink'));
  const noise = random.fork('noise');
  return Uint8Array.from(canvas, (value) => clamp(Math.round(value + 3 * normal(noise)), 0, 255));
}

/** One draw of the standard normal distribution (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** A tone between fair and tanned, brighter towards one side, darker towards the rim. */
function paintSkin(canvas: Float32Array, random: Random): void {
  const tone = mix(FAIR_SKIN, TANNED_SKIN, random.next());
  const [slope, direction] = [between(random, 0, 0.12), between(random, 0, 2 * Math.PI)];
  const vignette = between(random, 0.02, 0.14);
  eachPixel(EVERYWHERE, ({ x, y }, place) => {
    const light = 1 + slope * (x * Math.cos(direction) + y * Math.sin(direction));
    const shade = light - vignette * (x * x + y * y);
    blend(canvas, place, { colour: scale(tone, shade), cover: 1 });
  });
}

/** A blob whose outline and colours follow the signs. */
function paintLesion(canvas: Float32Array, signs: Signs, random: Random): void {
  const centre = { x: between(random, -0.12, 0.12), y: between(random, -0.12, 0.12) };
  const outline = drawOutline(signs, random);
  const base = mix(LIGHT_BROWN, DARK_BROWN, clamp(0.4 + 0.18 * signs.darkness, 0, 1));
  const blotches = drawBlotches(signs.variety, random);
  const softness = between(random, 0.03, 0.06);
  eachPixel(EVERYWHERE, (point, place) => {
    const [x, y] = [point.x - centre.x, point.y - centre.y];
    const inside = (outline(Math.atan2(y, x)) - Math.hypot(x, y)) / softness;
    const cover = 0.95 / (1 + Math.exp(-inside));
    if (cover < 0.01) return;
    const colour = blotches.reduce<Colour>((under, blotch) => {
      const distance = Math.hypot(x - blotch.x, y - blotch.y) / blotch.radius;
      return mix(under, blotch.colour, blotch.strength * Math.exp(-distance * distance));
    }, base);
    blend(canvas, place, { colour, cover });
  });
}

/** Radius by angle: an ellipse, waves for an irregular border, a lobe on one side for asymmetry. */
function drawOutline({ irregularity, asymmetry }: Signs, random: Random): (angle: number) => number {
  const radius = between(random, 0.38, 0.54);
  const [elongation, tilt] = [between(random, 0, 0.16), between(random, 0, 2 * Math.PI)];
  const depth = Math.max(0, 0.06 + 0.04 * irregularity);
  const waves = [2, 3, 5, 8].map((frequency) => ({
    frequency,
    depth: depth * between(random, 0.3, 1),
    phase: between(random, 0, 2 * Math.PI),
  }));
  const lobe = { size: Math.max(0, 0.16 + 0.12 * asymmetry), at: between(random, 0, 2 * Math.PI) };
  return (angle) => {
    const ellipse = 1 + elongation * Math.cos(2 * (angle - tilt));
    const wave = waves.reduce((sum, { frequency, phase, ...own }) => {
      return sum + own.depth * Math.cos(frequency * angle + phase);
    }, 0);
    return radius * (ellipse + wave + lobe.size * Math.max(0, Math.cos(angle - lobe.at)) ** 2);
  };
}

/** Patches of other colours inside the lesion, stronger with more variety. */
function drawBlotches(variety: number, random: Random) {
  return [BLUE_GREY, RED, DARK_BROWN].map((colour) => {
    const [distance, angle] = [between(random, 0.05, 0.3), between(random, 0, 2 * Math.PI)];
    return {
      colour,
      x: distance * Math.cos(angle),
      y: distance * Math.sin(angle),
      radius: between(random, 0.12, 0.24),
      strength: clamp(0.3 + 0.2 * variety + between(random, -0.15, 0.15), 0, 0.9),
    };
  });
}

function paintHairs(canvas: Float32Array, random: Random): void {
  for (let hair = random.integer(4); hair > 0; hair -= 1) {
    const from = { x: between(random, -1, 1), y: between(random, -1, 1) };
    const direction = between(random, 0, 2 * Math.PI);
    const bend = between(random, -0.4, 0.4);
    const length = between(random, 0.6, 1.6);
    paintStroke(canvas, { colour: HAIR, width: 0.03, opacity: between(random, 0.3, 0.6) }, (along) => ({
      x: from.x + along * length * Math.cos(direction + bend * along),
      y: from.y + along * length * Math.sin(direction + bend * along),
    }));
  }
}

/** Two crossing strokes of a pen in one of the corners. */
function paintInk(canvas: Float32Array, random: Random): void {
  const corner = { x: random.integer(2) * 2 - 1, y: random.integer(2) * 2 - 1 };
  const centre = { x: corner.x * between(random, 0.7, 0.8), y: corner.y * between(random, 0.7, 0.8) };
  const [tilt, opacity] = [between(random, 0, Math.PI), between(random, 0.35, 0.9)];
  for (const turn of [0, Math.PI / 2]) {
    const length = between(random, 0.3, 0.5);
    const direction = tilt + turn + between(random, -0.2, 0.2);
    paintStroke(canvas, { colour: INK, width: 0.06, opacity }, (along) => ({
      x: centre.x + (along - 0.5) * length * Math.cos(direction),
      y: centre.y + (along - 0.5) * length * Math.sin(direction),
    }));
  }
}

interface Pen {
  readonly colour: Colour;
  /** In the units of the canvas, whose axes run from -1 to 1. */
  readonly width: number;
  readonly opacity: number;
}

/** @param path  the stroke from along = 0 to along = 1 */
function paintStroke(canvas: Float32Array, pen: Pen, path: (along: number) => Point): void {
  const covers = new Float32Array(SIDE * SIDE);
  for (let step = 0; step <= STROKE_STEPS; step += 1) {
    const { x, y } = path(step / STROKE_STEPS);
    eachPixel({ x, y, reach: 2 * pen.width }, (point, place) => {
      const distance = Math.hypot(point.x - x, point.y - y) / pen.width;
      covers[place] = Math.max(covers[place]!, pen.opacity * Math.exp(-distance * distance));
    });
  }
  covers.forEach((cover, place) => {
    if (cover > 0) blend(canvas, place, { colour: pen.colour, cover });
  });
}

interface Area extends Point {
  /** Half the side of the square around the point. */
  readonly reach: number;
}

const EVERYWHERE: Area = { x: 0, y: 0, reach: 1 };

/** Calls `paint` for each pixel whose centre is in the area, with that centre and its place in the picture. */
function eachPixel({ x, y, reach }: Area, paint: (centre: Point, place: number) => void): void {
  const first = (from: number) => Math.max(0, Math.ceil(((from - reach + 1) * SIDE - 1) / 2));
  const last = (to: number) => Math.min(SIDE - 1, Math.floor(((to + reach + 1) * SIDE - 1) / 2));
  for (let row = first(y); row <= last(y); row += 1) {
    for (let column = first(x); column <= last(x); column += 1) {
      const centre = { x: (2 * column + 1) / SIDE - 1, y: (2 * row + 1) / SIDE - 1 };
      paint(centre, row * SIDE + column);
    }
  }
}

function blend(canvas: Float32Array, place: number, paint: { colour: Colour; cover: number }): void {
  for (const channel of [0, 1, 2] as const) {
    const at = place * 3 + channel;
    canvas[at]! += paint.cover * (paint.colour[channel] - canvas[at]!);
  }
}

function mix(from: Colour, to: Colour, share: number): Colour {
  return [
    from[0] + share * (to[0] - from[0]),
    from[1] + share * (to[1] - from[1]),
    from[2] + share * (to[2] - from[2]),
  ];
}

function scale([red, green, blue]: Colour, factor: number): Colour {
  return [red * factor, green * factor, blue * factor];
}

function between(random: Random, least: number, most: number): number {
  return least + random.next() * (most - least);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
