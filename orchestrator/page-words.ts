/** The most of a text that is shown. */
const SHOWN = 120;

/** Says what came in place of an answer: the title of a page, or how the text begins. */
export function pageWords(text: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1];
  if (title !== undefined && title.trim() !== '') return `a page with the title “${short(title)}”`;
  return text.trim() === '' ? 'an empty body' : `“${short(text)}”`;
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}
