namespace Skep.Network.Reconcile;

/// <summary>How a table differs from its wish. Put into words only for who reads them: a set may lack ten thousands.</summary>
/// <param name="Kind">What differs.</param>
/// <param name="Cause">Why.</param>
/// <param name="What">In words, but for the element.</param>
/// <param name="Element">The element that it is about; empty when it is about none.</param>
internal readonly record struct TableDifference(RepairKind Kind, RepairCause Cause, string What, string Element = "")
{
    public override string ToString() => Element.Length > 0 ? $"{What} {Element}" : What;
}
