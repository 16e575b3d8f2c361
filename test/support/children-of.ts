/** The children of a folder in a journal that is a flat set of names: its objects, and each of its folders once. */
export function childrenOf(folder: string, names: Iterable<string>): Set<string> {
  const within = `${folder}/`;
  const children = new Set<string>();
  for (const name of names) {
    if (!name.startsWith(within)) continue;
    const end = name.indexOf('/', within.length);
    children.add(end === -1 ? name : name.slice(0, end));
  }
  return children;
}
