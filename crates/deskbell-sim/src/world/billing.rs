//! Who subscribes, pays, does not pay, and cancels.

use rand::Rng;

use super::payer::Payer;
use super::payment::PaymentAttempt;
use super::subscription::Subscription;
use super::{World, version};
use crate::truth::{Effect, PAYMENT_ATTEMPTS, SUBSCRIPTION_ITEMS, SUBSCRIPTIONS};

impl World {
    pub(super) fn bill(&mut self) {
        match self.rng.random_range(0..10) {
            0..=3 => self.subscribe(),
            4..=6 => self.settle_payment(),
            7 | 8 => self.renew_subscription(),
            _ => self.cancel_item(),
        }
    }

    /// A user or an organization that has no subscription yet gets one.
    fn subscribe(&mut self) {
        let at_ms = self.now_ms;
        let payer = if self.rng.random_bool(0.7) {
            let Some(user) = self.users.draw_mut(&mut self.rng) else { return };
            if std::mem::replace(&mut user.has_subscription, true) {
                return;
            }
            Payer::user(user, at_ms, &mut self.rng)
        } else {
            let Some(organization) = self.organizations.draw_mut(&mut self.rng) else { return };
            if std::mem::replace(&mut organization.has_subscription, true) {
                return;
            }
            Payer::organization(organization, at_ms, &mut self.rng)
        };
        let subscription = Subscription::begin(payer, at_ms, &mut self.rng);
        self.emit_subscription("subscription.created", &subscription);
        self.emit_item("subscriptionItem.created", &subscription);
        self.emit_item("subscriptionItem.active", &subscription);
        self.charge(&subscription);
        self.more.subscriptions.insert(subscription);
    }

    fn renew_subscription(&mut self) {
        let at_ms = self.now_ms;
        let Some(subscription) = self.more.subscriptions.draw_mut(&mut self.rng) else { return };
        subscription.renew(at_ms, &mut self.rng);
        let subscription = subscription.clone();
        self.emit_subscription("subscription.updated", &subscription);
        self.emit_item("subscriptionItem.updated", &subscription);
        self.charge(&subscription);
    }

    fn cancel_item(&mut self) {
        let at_ms = self.now_ms;
        let Some(subscription) = self.more.subscriptions.draw_mut(&mut self.rng) else { return };
        if subscription.item.status == "canceled" {
            return;
        }
        subscription.cancel_item(at_ms);
        let subscription = subscription.clone();
        self.emit_item("subscriptionItem.canceled", &subscription);
    }

    fn charge(&mut self, subscription: &Subscription) {
        let attempt = PaymentAttempt::begin(subscription, self.now_ms, &mut self.rng);
        self.emit_attempt("paymentAttempt.created", &attempt);
        self.more.payment_attempts.insert(attempt);
    }

    /// An attempt ends; where it failed, the subscription is past due.
    fn settle_payment(&mut self) {
        let at_ms = self.now_ms;
        let attempts = &mut self.more.payment_attempts;
        let Some(id) = attempts.draw(&mut self.rng).map(|attempt| attempt.id.clone()) else {
            return;
        };
        let Some(mut attempt) = attempts.remove(&id) else { return };
        let is_paid = self.rng.random_bool(0.8);
        attempt.end(is_paid, at_ms);
        self.emit_attempt("paymentAttempt.updated", &attempt);
        let subscription = self.more.subscriptions.get_mut(&attempt.subscription_id);
        if let Some(subscription) = subscription.filter(|_| !is_paid) {
            subscription.set_status("past_due", at_ms);
            let subscription = subscription.clone();
            self.emit_subscription("subscription.pastDue", &subscription);
            self.emit_item("subscriptionItem.pastDue", &subscription);
        }
    }

    /// A subscription's message is a version of its item as well.
    fn emit_subscription(&mut self, event_type: &'static str, subscription: &Subscription) {
        let occurred_at = self.now_ms;
        self.emit(event_type, occurred_at, &subscription.payload(), |message_id| {
            let item = &subscription.item;
            let version =
                |updated_at| version(updated_at, occurred_at, event_type, message_id.clone());
            Effect::Several(vec![
                Effect::Upsert {
                    table: SUBSCRIPTIONS,
                    id: subscription.id.clone(),
                    version: version(subscription.updated_at),
                    row: subscription.row(),
                },
                Effect::Upsert {
                    table: SUBSCRIPTION_ITEMS,
                    id: item.id.clone(),
                    version: version(item.updated_at),
                    row: subscription.item_row(),
                },
            ])
        });
    }

    fn emit_item(&mut self, event_type: &'static str, subscription: &Subscription) {
        let item = &subscription.item;
        let key = (SUBSCRIPTION_ITEMS, item.id.as_str(), item.updated_at);
        self.emit_version(event_type, key, &subscription.item_payload(), subscription.item_row());
    }

    fn emit_attempt(&mut self, event_type: &'static str, attempt: &PaymentAttempt) {
        let key = (PAYMENT_ATTEMPTS, attempt.id.as_str(), attempt.updated_at);
        self.emit_version(event_type, key, &attempt.payload(), attempt.row());
    }
}
