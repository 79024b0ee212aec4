/** What the samples leave to their reader: who it is that calls. */
export const userOf = async () => 'reader';
