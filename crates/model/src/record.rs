//! Case-system records in their canonical form (DOMAIN section 7).
