/** Where a create goes that has no `apiKey`, and with which key; or the message that refuses it. Nothing is sent. */
export async function destination(generate, options) {
  let sent;
  const fetch = async (url, { headers }) => {
    sent = [new URL(url).origin, new Headers(headers).get('authorization')];
    return Response.json({ created: 1, data: [{ url: 'https://pictures.example/lemon.png' }] });
  };
  try {
    await generate({ model: 'gpt-image-2', prompt: 'a lemon' }, { ...options, fetch });
    return sent;
  } catch (error) {
    return error.message;
  }
}
