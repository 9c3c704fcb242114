namespace Skep.Network.Dns;

/// <summary>Who says what a name means: a service or an endpoint of it. Services come last, so that an address that both name is the service's.</summary>
internal readonly record struct Contributor(bool IsService, string Id) : IComparable<Contributor>
{
    public int CompareTo(Contributor other) =>
        IsService != other.IsService ? IsService.CompareTo(other.IsService) : string.CompareOrdinal(Id, other.Id);
}
