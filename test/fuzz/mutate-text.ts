// Texts as somebody with time could write them, of any grammar: its own pieces in any order, damaged, repeated,
// and with what is odd in between. UTF-16: a lone surrogate is a text, too.
import type { Random } from '../fixtures/random.ts';
import { ODD_TEXTS, type Subject } from './subject.ts';
import { oneOf } from './world.ts';

type Mutation = (text: string, subject: Subject, random: Random) => string;

const MUTATIONS: readonly Mutation[] = [
  (text, _subject, random) => text.slice(0, at(text, random)),
  (text, _subject, random) => text.slice(at(text, random)),
  (text, subject, random) => inserted(text, oneOf(random, subject.units), random),
  (text, subject, random) => inserted(text, oneOf(random, subject.units), random),
  (text, _subject, random) => inserted(text, oneOf(random, ODD_TEXTS), random),
  (text, subject, random) => spliced(text, oneOf(random, subject.seeds), random),
  (text, _subject, random) => spliced(text, text, random),
  (text, _subject, random) => without(text, random),
  (text, _subject, random) => replaced(text, random),
  (text, _subject, random) => inserted(text, anyCharacter(random), random),
  (text, subject, random) => inserted(text, repeated(subject, random), random),
  (text) => text.toUpperCase(),
  (text, _subject, random) => encoded(text, random),
  (_text, subject, random) => joined(subject, random),
  (_text, _subject, random) => anyText(random),
];

/** Returns one of the subject's texts with none to four things done to it, or one of its own making. */
export function mutatedText(subject: Subject, random: Random): string {
  if (subject.make !== undefined && random.below(3) > 0) return subject.make(random);
  let text = oneOf(random, subject.seeds);
  for (let times = random.below(5); times > 0; times--) {
    text = oneOf(random, MUTATIONS)(text, subject, random);
  }
  return text;
}

function at(text: string, random: Random): number {
  return random.below(text.length + 1);
}

function inserted(text: string, piece: string, random: Random): string {
  const place = at(text, random);
  return text.slice(0, place) + piece + text.slice(place);
}

function spliced(text: string, other: string, random: Random): string {
  return text.slice(0, at(text, random)) + other.slice(at(other, random));
}

function without(text: string, random: Random): string {
  const from = at(text, random);
  return text.slice(0, from) + text.slice(from + random.below(20));
}

function replaced(text: string, random: Random): string {
  const place = at(text, random);
  return text.slice(0, place) + anyCharacter(random) + text.slice(place + 1);
}

// One character as a percent-encoding would have it, once or twice.
function encoded(text: string, random: Random): string {
  const place = random.below(Math.max(1, text.length));
  const code = (text.charCodeAt(place) & 0xff).toString(16).padStart(2, '0');
  const percent = oneOf(random, ['%', '%', '%25', '%2525']);
  return `${text.slice(0, place)}${percent}${code}${text.slice(place + 1)}`;
}

// Seldom so many that it goes beyond every bound.
function repeated(subject: Subject, random: Random): string {
  const times = random.below(40) > 0 ? random.below(70) : random.below(6_000);
  return oneOf(random, subject.units).repeat(times);
}

function joined(subject: Subject, random: Random): string {
  const pieces = [...subject.units, ...subject.units, ...subject.seeds, ...ODD_TEXTS];
  return Array.from({ length: random.below(12) }, () => oneOf(random, pieces)).join('');
}

function anyText(random: Random): string {
  return Array.from({ length: random.below(60) }, () => anyCharacter(random)).join('');
}

// Mostly ASCII, then what a header may hold as Latin-1, then anything that a text may hold.
function anyCharacter(random: Random): string {
  const below = oneOf(random, [0x80, 0x80, 0x80, 0x100, 0x10000]);
  return String.fromCharCode(random.below(below));
}
