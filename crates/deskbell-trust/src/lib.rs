//! What makes a mirror something to rely on: it is filled with what existed before, it is compared
//! with Clerk, and somebody is told when events stop.
