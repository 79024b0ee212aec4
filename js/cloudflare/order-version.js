/**
 * The version of the orders that a worker gives its objects. While a deploy goes on, worker and object may be of
 * different versions, and an object ignores the fields that it does not know: it would make a picture where an edit is
 * wanted. So raise the version with each field that changes what is carried out.
 */
export const ORDER_VERSION = 1;
