//! Deskbell's pages: HTML made from what [`deskbell_admin`] answers.
