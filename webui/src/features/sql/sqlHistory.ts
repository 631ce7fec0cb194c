/**
 * The statements that a user ran last, in this tab alone and until it is closed: they may hold names. Whoever signs in after
 * somebody else does not find them.
 */
const KEY = "dose.sql";
const MOST = 20;

interface Kept {
  user: string;
  statements: string[];
}

/** The newest first. */
export function statementsOf(user: string): string[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Kept | null;
    if (kept?.user === user) return kept.statements;
    sessionStorage.removeItem(KEY);
  } catch {
    // Storage is switched off.
  }
  return [];
}

/** Keeps one that was run; all that are kept, the newest first. */
export function keepStatement(user: string, sql: string): string[] {
  const statements = [sql, ...statementsOf(user).filter((one) => one !== sql)].slice(0, MOST);
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ user, statements } satisfies Kept));
  } catch {
    // It is full or switched off: they last until the page is left.
  }
  return statements;
}

export function forgetStatements(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // There is nothing to forget.
  }
}
