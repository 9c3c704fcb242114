using Skep.ClassicTests.Uml;

namespace Skep.ClassicTests.Encryption;

/// <summary>A data plane.</summary>
public enum Plane
{
    Classic,
    Nftables,
}

/// <summary>Those that the machine's kernel can carry: Debian's has no nftables.</summary>
public static class Planes
{
    public static TheoryData<Plane> All => UmlKernel.Own is null ? [Plane.Classic] : [Plane.Classic, Plane.Nftables];
}
