/** A file of weights, as a data: address. */
declare module '*.safetensors?inline' {
  const address: string;
  export default address;
}
