// A part that measures.
export const measure = () => Promise.resolve({ name: "an adapter", value: 3 });
export const adapter = ({ name }: { readonly name: string }) => name;
