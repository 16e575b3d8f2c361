import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** Descriptions by the dotted path of their settings, e.g. `journal.keep_days`. */
export type Docstrings = ReadonlyMap<string, string>;

/**
 * Reads the docstrings of one shape in a source file. Where the shape calls a function of the same file, the settings that
 * this function makes belong to it too.
 *
 * @param path from the root of the repository
 * @param shape name of the constant
 */
export function docstringsOf(path: string, shape: string): Docstrings {
  const constants = constantsOf(path);
  const initializer = constants.get(shape);
  if (initializer === undefined) throw new Error(`${path} has no constant ${shape}.`);
  const found = new Map<string, string>();
  const visit = (node: ts.Node, above: string): void => {
    if (!ts.isPropertyAssignment(node)) return visitInside(node, above);
    const key = `${above}${node.name.getText()}`;
    const words = docstringOf(node);
    if (words !== null) found.set(key, words);
    visitInside(node.initializer, `${key}.`);
  };
  const visitInside = (node: ts.Node, above: string): void => {
    const called = calledBy(node, constants);
    if (called !== null) visit(called, above);
    ts.forEachChild(node, (child) => visit(child, above));
  };
  visitInside(initializer, '');
  return found;
}

/** The same settings inside a section. */
export function below(section: string, docstrings: Docstrings): Docstrings {
  return new Map([...docstrings].map(([key, words]) => [`${section}.${key}`, words]));
}

type Constants = ReadonlyMap<string, ts.Expression | undefined>;

function constantsOf(path: string): Constants {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return new Map(
    statements
      .filter((statement) => ts.isVariableStatement(statement))
      .flatMap(({ declarationList }) => [...declarationList.declarations])
      .map((declaration) => [declaration.name.getText(), declaration.initializer]),
  );
}

function calledBy(node: ts.Node, constants: Constants): ts.ArrowFunction | null {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return null;
  const called = constants.get(node.expression.text);
  return called !== undefined && ts.isArrowFunction(called) ? called : null;
}

function docstringOf(node: ts.Node): string | null {
  const comment = ts.getJSDocCommentsAndTags(node).findLast((part) => ts.isJSDoc(part))?.comment;
  const words = ts.getTextOfJSDocComment(comment);
  return words === undefined ? null : words.replaceAll(/\s+/g, ' ').trim();
}
