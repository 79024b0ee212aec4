/** The same call for Python, with its standard library: create, poll, save the pictures. */

import { pathOf, serviceOf, variableOf, withoutFallback } from './sample-facts.js';

/**
 * A JSON value as Python writes it.
 *
 * @param {unknown} value
 * @param {string} [indent]
 * @returns {string}
 */
function literal(value, indent = '') {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}    `;
  const lines = Array.isArray(value)
    ? value.map((item) => literal(item, inner))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${literal(item, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}${lines.map((line) => `\n${inner}${line},`).join('')}\n${indent}${close}`;
}

/** @param {import('./code-samples.js').Call} call */
export function python(call) {
  const { sources } = call;
  return `import base64, json, ${sources ? 'mimetypes, ' : ''}os, time, urllib.request${sources ? ', uuid' : ''}

API = ${JSON.stringify(serviceOf(call))}


def call(path, body=None, content_type="application/json"):
    headers = {
        "Authorization": f"Bearer {os.environ['${variableOf(call)}']}",
        "Content-Type": content_type,
        "User-Agent": "picture.py",
    }
    request = urllib.request.Request(API + path, body, headers)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)

${sources ? form(call) : json(call)}
poll_url = answer.get("poll_url")
while answer.get("status") in ("pending", "queued", "processing", "running"):
    time.sleep(4)
    answer = call(poll_url)
if not answer.get("data"):
    raise SystemExit(answer.get("error"))
for number, image in enumerate(answer["data"], 1):
    if image.get("b64_json"):
        picture = base64.b64decode(image["b64_json"])
    else:
        picture = urllib.request.urlopen(image["url"]).read()
    with open(f"picture-{number}.png", "wb") as file:
        file.write(picture)
`;
}

/** @param {import('./code-samples.js').Call} call */
const json = (call) => `
request = ${literal(withoutFallback(call.request))}
answer = call("${pathOf(call)}", json.dumps(request).encode())
`;

/** @param {import('./code-samples.js').Call} call */
function form(call) {
  const { sources } = call;
  const texts = Object.entries(withoutFallback(call.request)).map(([name, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : `${value}`;
    return `part(${JSON.stringify(name)}, ${JSON.stringify(text)}.encode())`;
  });
  const file = (/** @type {string} */ field, name = '') =>
    `part("${field}", open(${JSON.stringify(name)}, "rb").read(), ${JSON.stringify(name)})`;
  const parts = [
    ...texts,
    ...(sources?.pictures ?? []).map((name) => file('image', name)),
    ...(sources?.mask ? [file('mask', sources.mask)] : []),
  ];
  return `
BOUNDARY = uuid.uuid4().hex


def part(name, value, file=None):
    head = f'--{BOUNDARY}\\r\\nContent-Disposition: form-data; name="{name}"'
    if file:
        head += f'; filename="{file}"\\r\\nContent-Type: {mimetypes.guess_type(file)[0]}'
    return head.encode() + b"\\r\\n\\r\\n" + value + b"\\r\\n"


parts = [${parts.map((each) => `\n    ${each},`).join('')}
]
body = b"".join(parts) + f"--{BOUNDARY}--\\r\\n".encode()
answer = call("${pathOf(call)}", body, f"multipart/form-data; boundary={BOUNDARY}")
`;
}
