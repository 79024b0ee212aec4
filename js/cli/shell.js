/** Lines to copy into a terminal, in the words of its shell. */

/** Git Bash and the like have the variable on Windows, too. */
const isPosix = () => process.platform !== 'win32' || Boolean(process.env.SHELL);

/** An argument. PowerShell and cmd.exe have double quotes in common. @param {string} text */
export function quote(text) {
  if (/^[\w./-]+$/.test(text)) return text;
  return isPosix() ? `'${text.replaceAll("'", `'\\''`)}'` : `"${text}"`;
}

/** A line that sets variables of the environment: on Windows, that of PowerShell. @param {Record<string, string>} variables */
export function assign(variables) {
  const entries = Object.entries(variables);
  return isPosix()
    ? `export ${entries.map(([name, value]) => `${name}=${value}`).join(' ')}`
    : entries.map(([name, value]) => `$env:${name}="${value}"`).join('; ');
}
