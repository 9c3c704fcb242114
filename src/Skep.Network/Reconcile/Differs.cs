namespace Skep.Network.Reconcile;

/// <summary>Tells of a difference that is about to be removed.</summary>
internal delegate void Differs(RepairKind kind, RepairCause cause, Func<string> what);
