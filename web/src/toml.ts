/** As much of TOML as policies use: text, numbers, booleans, lists, inline tables, [table] and [[table]]. */
import { PolicyError } from "./errors";

/** A number keeps whether it was written as a whole one, as the key's type may ask. */
export type Value = string | number | boolean | Value[] | Table;
export interface Table { [key: string]: Value }

export function parseToml(text: string, where: string): Table {
  let at = 0;
  const fail = (what: string): never => {
    throw new PolicyError(`The policy is not TOML: ${what} (line ${text.slice(0, at).split("\n").length}).`, where, "Correct the line.", "not toml");
  };
  const blanks = (pattern: RegExp) => { pattern.lastIndex = at; at += pattern.exec(text)?.[0].length ?? 0; };
  const space = () => blanks(/[ \t]*/y);
  const empty = () => blanks(/(?:[ \t\r\n]|#[^\n]*)*/y);
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const key = (): string => {
    const word = take(/[A-Za-z0-9_-]+/y);
    if (word !== undefined) return word;
    return text[at] === '"' || text[at] === "'" ? (value() as string) : fail("a key is missing");
  };
  const path = (): string[] => {
    const names = [key()];
    for (space(); text[at] === "."; space()) { at++; space(); names.push(key()); }
    return names;
  };
  const put = (table: Table, names: string[], found: Value) => {
    const last = names.at(-1)!;
    for (const name of names.slice(0, -1)) {
      if (!Object.hasOwn(table, name)) table[name] = {};
      const inner = table[name];
      if (typeof inner !== "object" || Array.isArray(inner)) fail(`${name} is no table`);
      table = inner as Table;
    }
    if (Object.hasOwn(table, last)) fail(`${last} is given twice`);
    Object.defineProperty(table, last, { value: found, enumerable: true, writable: true, configurable: true });
  };
  const value = (): Value => {
    if (text.startsWith('"""', at) || text.startsWith("'''", at)) return fail("text of several lines is not used here");
    const quoted = take(/"(?:[^"\\\n]|\\.)*"/y);
    if (quoted !== undefined) {
      const plain = quoted.replace(/\\U([0-9a-fA-F]{8})/g, (_, hex) => String.fromCodePoint(parseInt(hex, 16)));
      try { return JSON.parse(plain) as string; } catch { return fail("the text has an unknown escape"); }
    }
    const literal = take(/'[^'\n]*'/y);
    if (literal !== undefined) return literal.slice(1, -1);
    if (take(/\[/y)) {
      const list: Value[] = [];
      for (empty(); text[at] !== "]"; empty()) {
        list.push(value()); empty();
        if (!take(/,/y) && text[at] !== "]") return fail("a list does not end");
      }
      at++;
      return list;
    }
    if (take(/\{/y)) {
      const table: Table = {};
      for (space(); text[at] !== "}"; space()) {
        const names = path(); space();
        if (!take(/=/y)) return fail("= is missing");
        space(); put(table, names, value()); space();
        if (!take(/,/y) && text[at] !== "}") return fail("a table does not end");
      }
      at++;
      return table;
    }
    const word = take(/[^\s,\]}#]+/y) ?? "";
    if (word === "true" || word === "false") return word === "true";
    if (/^[+-]?(0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d+)?$/.test(word)) return Number(word.replaceAll("_", ""));
    if (/^[+-]?inf$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
    return fail(`'${word}' is no value`);
  };
  const root: Table = {};
  let here = root;
  for (empty(); at < text.length; empty()) {
    const many = take(/\[\[/y), one = many ? undefined : take(/\[/y);
    if (many || one) {
      space();
      const names = path(); space();
      if (!take(many ? /\]\]/y : /\]/y)) fail("a heading does not end");
      let table = root;
      names.forEach((name, i) => {
        const last = i === names.length - 1;
        if (last && many) {
          if (!Object.hasOwn(table, name)) table[name] = [];
          const list = table[name];
          if (!Array.isArray(list)) return fail(`${name} is no list`);
          table = {}; list.push(table);
          return;
        }
        if (last && Object.hasOwn(table, name)) fail(`${name} is given twice`);
        if (!Object.hasOwn(table, name)) table[name] = {};
        const found = table[name];
        table = (Array.isArray(found) ? found.at(-1) : found) as Table;
        if (typeof table !== "object") fail(`${name} is no table`);
      });
      here = table;
    } else {
      const names = path(); space();
      if (!take(/=/y)) fail("= is missing");
      space(); put(here, names, value());
    }
    space(); take(/#[^\n]*/y);
    if (at < text.length && !take(/\r?\n/y)) fail("something follows the value");
  }
  return root;
}
