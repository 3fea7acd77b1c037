/** Whose message it is. Tenant and vendor come from the key alone. */
export interface Sender {
  readonly tenant: string;
  readonly vendor: string;
}
