"""What the signs of a claim weigh, in hundredths; written by `make promise-weights`."""

LEARNED_FROM = "07de0a63a1613d46"

WEIGHTS = """
&&-32 &,+14 &,&-15 &,.-22 &,I-47 &,J-27 &,M-6 &,Q-8 &,f-6 &,i-20 &,q-2 &.-41 &:+11 &?-51 &A+19
&Ay+10 &C+7 &D-17 &D.-40 &De+27 &Dz+5 &E+32 &G+36 &Gy+18 &H+17 &H.-7 &HV+21 &I+14 &I,-12 &I.-5
&I?-6 &II-40 &IJ-44 &IW+15 &Ie-22 &Ip-33 &J+4 &J&-31 &J,-37 &J.-52 &J?-10 &JI+15 &JJ+21 &Jc+40
&Je-6 &Jy+33 &K-17 &L-24 &M+8 &M.+5 &MI-10 &N-18 &N&+19 &N.-11 &O+32 &O.+11 &P+16 &P.+11 &Q+6
&Q?-17 &R-17 &R.-10 &T+8 &V+5 &V.-11 &Vy-26 &W+55 &W.-2 &WJ+11 &Ws+21 &Wy+50 &Y+5 &a+32 &ad+20
&b-27 &c+17 &c.+52 &cJ+51 &cy+47 &d-3 &d.+23 &dJ-20 &dO+19 &dg-22 &ds+22 &dy+26 &dz+15 &e-2 &e.-33
&eI-11 &es+29 &f+3 &fA+33 &fH+14 &fI-8 &fV+42 &fW+16 &fc+26 &ft-7 &fy+24 &g-23 &g.-10 &gI-5 &h-7
&h.-6 &hb+23 &i+13 &i.-20 &id+21 &in-17 &j+14 &jW+6 &k+20 &l+8 &l.+4 &n-32 &n&-4 &n,-12 &n.-26 &o-9
&p-31 &p.-17 &pe-17 &pp-7 &q+17 &s-32 &s,-5 &s.-15 &sI-14 &sW+32 &sc-48 &se+7 &sf-30 &sp-32 &sy-53
&t+52 &t.+19 &tJ+30 &v-46 &v.-30 &vy-30 &w+16 &x+27 &x.+51 &y-4 &y&-2 &y.-22 &y?-16 &yH+19 &yI+9
&yJ-15 &yP+26 &yW+55 &ya+6 &yc-5 &yd+9 &ye-20 &yf-11 &yl+23 &yn-18 &yp-13 &ys-36 &yt+29 &yy-38
&z+34 &z,+11 &z.+24 ,&-31 ,&,-34 ,&.-53 ,&?-10 ,&D+20 ,&E+21 ,&G-14 ,&I+10 ,&J+12 ,&N-27 ,&Q-10
,&W-11 ,&Y+13 ,&c+33 ,&d-28 ,&e-3 ,&f+30 ,&i-28 ,&j-27 ,&n-31 ,&o-7 ,&p-25 ,&s-35 ,&t+8 ,&v-32
,&w+10 ,&y-22 ,,-21 ,,&-31 ,,,-28 ,,.+20 ,,I-34 ,,J-29 ,,d+32 ,,l-25 ,,s+23 ,,u-34 ,.+6 ,:+25 ,?-49
,A-5 ,Ai-19 ,As+22 ,B+9 ,B,-41 ,B.+20 ,C-7 ,D+12 ,D.+24 ,De+15 ,Dj+7 ,E+14 ,G+16 ,GI+16 ,Gy+35
,H+46 ,I+9 ,I&-15 ,I,+24 ,I.+12 ,II-60 ,IJ-8 ,IN-21 ,Ia-24 ,Ie-16 ,In-4 ,Is-8 ,Iy-15 ,J+16 ,J&-26
,J,-28 ,J.+47 ,JI+1 ,JJ-1 ,JR+30 ,JW+29 ,Jc+47 ,Jn-34 ,Jp-31 ,Jy-13 ,K+32 ,L-31 ,M.+28 ,MI-13
,Md-20 ,N-29 ,N.-25 ,NI-23 ,NO-24 ,O-11 ,O.+21 ,Oe-4 ,Os-7 ,P-14 ,Q+2 ,QI-29 ,QJ-20 ,Qe-8 ,Ql-22
,Qu+24 ,R+24 ,R&-20 ,R,-33 ,R.-11 ,RW+49 ,Rc+25 ,Re+2 ,Rf+2 ,Rn-23 ,Ry+46 ,T-25 ,TI-6 ,TJ-33 ,TL-12
,TO-10 ,TP+19 ,TV-11 ,TW+20 ,Ti-18 ,To-6 ,Tp-24 ,Ts-40 ,Tx-7 ,Ty-16 ,V-46 ,V.-24 ,Vs-30 ,W+18 ,W&+8
,W.-4 ,WI-5 ,WJ+21 ,Ws-6 ,Wy+14 ,Y+27 ,a+11 ,ad+42 ,ai+11 ,b-42 ,b.-30 ,bC-10 ,bd+19 ,c+35 ,c.+41
,cJ+19 ,cs-40 ,d-4 ,d.+5 ,de+40 ,e-9 ,e.+10 ,eI-31 ,eO+41 ,eW-48 ,ed-8 ,ee+22 ,ep-12 ,es+11 ,f+2
,f.-51 ,fC+9 ,fH-10 ,fV+24 ,fk+7 ,fs+21 ,ft+9 ,fy-25 ,g-5 ,g,-15 ,h-23 ,hI-13 ,hb-35 ,hd-2 ,i+9
,i.-35 ,iN-22 ,ia+10 ,id+25 ,ij+4 ,in+16 ,it+7 ,ix+9 ,j+23 ,j.+22 ,jW-15 ,jn+28 ,jx+10 ,jy+21 ,k+11
,l-62 ,l.-45 ,lT-7 ,n+20 ,n&-11 ,n,+37 ,n.+27 ,ns-46 ,o-30 ,o?-13 ,p+13 ,p&-20 ,p,-29 ,p.+34 ,pI+18
,ph-12 ,ps-2 ,q-14 ,q.+36 ,qI-2 ,qR+1 ,qo-14 ,s-4 ,s,+45 ,s.+4 ,s:+6 ,sA+33 ,sH+18 ,sI+21 ,sJ-2
,sM-25 ,sW+17 ,sa-26 ,sb-26 ,sc+30 ,sd+33 ,se+20 ,sf+18 ,sn-10 ,sp+25 ,ss+19 ,st+38 ,sy-7 ,t+44
,t.-12 ,td+27 ,ts+33 ,u+8 ,u.-34 ,v-39 ,v&-13 ,v,-22 ,v.-52 ,vO-21 ,vs-19 ,vy-5 ,w-12 ,w.+4 ,wW+27
,wf+23 ,ws-52 ,x-10 ,x.+35 ,xy+28 ,y+5 ,y,-22 ,y.-50 ,yD+9 ,yI-43 ,yJ+17 ,yR+21 ,yW-18 ,ya+3 ,yc+16
,ye-16 ,yf-8 ,yn+8 ,ys-15 ,yt+20 ,yx-21 ,yy+35 ,z+7 ,z.+52 ,zJ-9 ,zy+9 .-45 :&-47 :&.-39 :&I-25
:,-6 :,,-9 :,.-35 :,I-37 :,J+13 :,n+44 :.-8 :?-22 :I+24 :I&-25 :I,+19 :J-21 :J,+15 :M+17 :N-26 :O+4
:Q-12 :R-6 :T-12 :W+16 :a+32 :ad+32 :b-18 :c+19 :d-39 :d,-13 :e-13 :h-23 :i+7 :j+17 :k-18 :n+55
:p-4 :p,+15 :s+10 :v-26 :v,-6 :y-9 :y,-19 :yW+16 :yc+18 :z+30 ?-119 A&+8 A&y+28 A,+31 A,&+6 A,R+40
A,y+13 A.+15 A?-28 AB-28 AG+34 AH+15 AI+26 AJ+49 AJs+36 AP+12 AR+29 ARc+32 AT+17 AV+30 AW+18 Ac+52
Ae+26 Af-11 Af.-19 Afp-24 Ai-19 Aj+37 Al+30 Ap-28 Ap,-24 As+3 As&+26 As,+25 As.+28 AsW+16 Ass+26
Asy+47 At-17 Aw+44 Ay+4 Ay.+10 AyB-28 Az+17 B&-33 B,,-9 B,?-9 B,i+7 B,n+18 B.-23 B?-9 BI-8 BJ-35
BT-14 BW-4 Bc-1 Bd-14 Be+1 Bi+7 Bk-8 Bks-19 Bn+29 Bn.-13 Bs-21 Bs.-38 Bt+22 Bv-25 BvJ-20 Bw-31
By+37 C&-22 C,+38 C.+36 C?-41 CD+26 CG-20 CI+18 CII-22 CJ-5 CK+4 CK.-6 CL-15 CO+40 CO.+40 CR+2
CW+40 Cc+7 Cd-30 Cf+10 Ch-19 Cj+9 Cp-12 Cs+32 Cs&-10 Cs,+16 Cs.+26 CsI+23 CsL-10 Css+28 Csw-40
Cv-33 Cw-16 Cy-28 Cy&-25 Cy.+10 CyL-9 Cz+21 D&-21 D,+30 D,d+29 D,z+18 D.+36 D:-24 DI+4 DJ+28 DO+17
DW+19 Da+8 Db+14 Dd+62 Dd.+10 De+52 DeW+17 Ded+43 Di+12 Dj+9 Dj,+7 Dp-5 Ds-41 Dw-6 Dx+14 Dy+25
Dz+24 Dz.+9 E&+5 E,+33 E,&-18 E,I+28 E.-27 E:-12 E?-15 EC-22 EE-8 EG+23 EG.-34 EI+7 EI.-44 EJ-32
EK-32 EM-23 ER+9 EW+40 Ea+6 Ec+5 Ed-19 Ed,+44 Ed.-70 EdI-44 EdJ-63 Edp-20 Ef+24 EfC+22 Eg-14 Egg-12
Eh-21 Ei+20 Ej+34 El+6 En-18 En.-37 Ep-34 Ep&-18 Ep.-27 EpJ-24 Es+42 Ew-42 Ey+53 Ez+23 G&-31 G&y-32
G,-29 G,&-19 G,.-33 G,I+16 G,e-30 G.+22 G?-22 GG+37 GG.+9 GI+19 GI.+2 GIy-3 GJ-12 GJ.+47 GJJ+17
GK+15 GM+3 GO+42 GP+9 GR+15 GW-9 GWs+18 Gc-25 Gd+36 Gd.+50 Ge-46 Ged-18 Gf-10 Gi-27 Gj+23 Gn-11
Gp+8 Gp.+8 Gs,+17 Gs.+41 GsK+15 Gv-12 Gy-6 Gy,+13 Gy.+23 GyG+42 GyI+8 GyJ-22 Gye+4 H&+20 H&W+45
H,+31 H,J+33 H,s+8 H.+73 H:+10 H?-23 HD+14 HDJ+31 HG+15 HH+20 HI+20 HJ+67 HJ.+31 HJJ+17 HK+10 HO+34
HR+22 HV+21 HW+62 Ha+37 Hb+12 Hc+20 Hd+11 He+26 Hf+14 Hh+6 Hi+36 Hp+33 Hs+48 Hs.+19 Hs?-12 HsJ+25
Hss+13 Hw+59 Hw.+38 HwJ+18 HwR+22 Hws+25 Hy+22 HyJ+20 Hyw+7 I&-61 I&.-37 I&I-33 I&J-48 I&W-16
I&a+15 I&e-18 I&p-8 I&s-30 I&v-9 I&y-6 I,-1 I,&-16 I,,+9 I,.-34 I,I-58 I,J-54 I,M-23 I,Q-13 I,R-28
I,W-32 I,a+27 I,c-29 I,e+54 I,f-33 I,h-17 I,i-21 I,l-25 I,n-27 I,p-36 I,s-25 I,x+18 I,y-29 I,z+40
I.-42 I:-43 I:&-27 I:,-19 I?-38 IC-30 ID+6 IE-33 IE.-35 IEI-21 IEp-3 IG-25 IH+20 II-60 II&-28
II,-41 II.-76 II:-5 II?-11 III-55 IIJ-67 IIM-20 IIb-17 IIe-23 IIp-21 IIs-23 IIy+37 IJ-36 IJ&-31
IJ,+27 IJ.-52 IJ?-19 IJI-47 IJJ-3 IJe-41 IJq-6 IK+8 IK.-18 IL-19 IM-52 IM.-43 IN+12 IN.-21 INs+20
IO+51 IO.-42 IP-9 IQ+15 IR-18 IT+18 IV-26 IW-15 IW&-33 IW.+9 IWI-25 IWs+5 IWy+28 Ia+12 Iai-1 Iay-24
Ib-41 Ib.-36 Ic+41 Id+63 Id.+17 IdO+58 Ie+12 Ie&-14 Ie,-15 Ie.-63 IeI-34 Ied+29 If-39 Ig-35 Ig&-7
Ig,-26 Ig.-15 IgI-21 IgJ-11 Igs-15 Ihb+25 Ii-16 Ij+23 Ik-29 Il-13 In+11 In,+10 In.-57 Ip-45 Ip&-19
Ip.-26 IpI-28 IpJ-25 Ipn-12 Iq-40 Iqn-12 Is-16 Is&-39 Is,+1 Is.-37 IsI-28 It+24 Iv+5 Iw-23 Iw.-22
Ix+47 Ix.+38 Iy+22 Iy,+27 Iy.+16 IyJ-42 Iyc+1 Iyd+37 Iyf-8 Iz+54 Iz,+11 J&-12 J&,-28 J&.-18 J&G+27
J&I+23 J&J-40 J&c-13 J&d+25 J&y-7 J,-28 J,&-37 J,,+18 J,.-1 J,I+20 J,J-18 J,Q-5 J,W+34 J,a+8 J,d-23
J,e+15 J,f+41 J,i+31 J,l-13 J,n+19 J,p+43 J,s+47 J,t+27 J,y-7 J.+9 J:-46 J?-57 JB+7 JB,+7 JC+40
JD+36 JE-57 JEd-43 JG+6 JG.+21 JGW+21 JGy+12 JH+60 JH.+44 JHs+27 JI+10 JI&-19 JI,-19 JI.-1 JII-43
JId-39 JJ+21 JJ&-5 JJ,+7 JJ.+17 JJH+27 JJI-14 JJJ+30 JJT+35 JJW+1 JJb+9 JJc+47 JJs+6 JJy+20 JK+3
JM+50 JM.+19 JN-19 JO+38 JO.+29 JP+28 JP&+34 JQ+18 JR+37 JR.+9 JRy+21 JT-1 JTd+32 JW+38 JW&+19
JW.+19 JWO+14 JWW+15 JWs+33 JWy+23 Ja+21 Jb-31 Jb.-21 Jbd-19 Jc+27 Jc.+21 JcG+26 Jcs+49 Jcy+24
Jd-28 Jd,-3 Jd.+46 Je-44 Je.-30 Jed-33 Jf+52 Jf.-21 JfC+20 JfI-27 Jfs+10 Jg-6 Jh+43 Jhb+33 Ji+35
Jj-22 Jjn-39 Jk+29 Jl-28 Jn-58 Jn,-21 Jn.-66 Jo-15 Jp-15 Jp,-23 Jp.-43 Jpy+11 Jq-13 Js+102 Js,-21
Js.+12 JsC+15 JsI+30 JsM+43 JsW+41 Jss-2 Jt+49 Jt.+26 Ju+48 Jv+26 JvM+38 Jw-44 Jw.-19 JwI-31 Jx+51
Jx.+35 Jy+57 Jy&+37 Jy.+45 JyJ+13 Jyc+29 Jyn-31 Jyt+11 Jz-1 Jz.+49 K&-34 K,+3 K,w+29 K.+13 K?-22
KI+8 KJ-5 KJ,-2 KO+28 KR+21 KT-11 KW+10 Kc+12 Ke+5 Kg+21 Kh+21 Kj+24 Kn-27 Kp+17 Ks+25 Ks.+28 Kt+13
Kw+29 Ky+46 Ky.+18 KyJ+26 Kz+22 L&-7 L.-29 L?-15 LJ-8 LM-14 LM.-14 Ld-20 Ld.-16 Lh-16 Lp-7 Ls-22
Ls.-14 Ly+31 M&-8 M&M+28 M&y+15 M&z+7 M,+19 M,y-11 M.-42 M?-22 MC-11 MCI-11 MD+9 ME-13 ME.-33
MEI-15 MEM-23 MEd-3 MEp-2 MG+3 MH+10 MI-51 MI&-15 MI,-13 MI.-44 MIE-11 MII-14 MIJ-33 MJ-46 MJ.-25
MJI-7 MK-15 MM-20 MME-15 MMI-35 MMs-26 MP-26 MP&-21 MQ-25 MR+9 MT+10 MW-13 MW.-25 Ma+8 Mb+16 Mbd+27
Mc-10 Mcg-12 Md-23 Md.-31 MdI-32 Mdw-26 Me-25 Mf-22 Mg-32 Mg.-17 Mh-9 Mj+22 Mn-4 Mn.+15 MnJ-21
Mp-45 Mp.-32 Ms-11 Ms&-1 Ms.-35 MsE-7 MsI-34 MsJ-33 Msc-20 Mse-8 Msg-23 Mt-25 Mv-15 Mw-26 Mx+15
My-33 Mz+29 Mz,+21 N&-25 N,+5 N.-39 N?-22 NH-24 NI-11 NI.+2 NJ+35 NK+20 NO-35 NO.-27 NT+20 Nc+8
Nd+21 Ne+29 Nf-19 Nn-30 Np-18 Ns+7 Ns,+22 Nv-11 Ny,-12 Ny.-34 O&-17 O&c+32 O&f+25 O&s-30 O&y-17
O,-14 O,&+11 O,.+26 O,a+6 O,s-11 O.+9 O:-25 O?-18 OA-22 OAf-24 OB+12 OC+9 OD+42 OG+28 OG.+16 OGJ+30
OH+8 OI+15 OI&-24 OI,-35 OI.+10 OId+34 OIe+41 OJ-6 OJ,-31 OJ.+19 OJd+26 OK-29 OM+5 ON-9 OO+28 OQ-2
OR+24 OT-27 OV-14 OV.-39 OW-5 Oa+4 Oai-27 Ob+3 ObC+1 Obd+8 Obn-30 Oc+13 Od+48 Od,+20 Od.+51 OdJ-4
Odh+23 Oe-4 Oe.-28 OeG+17 OeI+1 Oeb+22 Oed-11 Oes+39 Of-11 Og-13 Oh-1 Ohb+26 Ohj+19 Oi+1 Oj+4
Ojd+30 Ok+5 Ol-43 OlT-18 On-55 On.-29 On:-21 Op-20 Op,+33 Op.+31 Ope+13 Oph+27 Or-29 Ory-25 Os+14
Os,+26 Os.-33 OsW+53 Osc+23 Osy+52 Ot+18 Ov+25 Ow-22 Ox-2 Ox.+30 Oy+26 Oy.+35 Oys+19 Oz.+34 OzI-32
OzJ+8 Ozs+13 P&-15 P&J-5 P,-54 P,I-27 P,W-32 P.+7 P?-28 PG+9 PH+15 PI-41 PJ+1 PK+47 PKs+36 PKy+30
PV-11 PW-21 Pe+9 Pg+16 Pj+21 PjK+21 Pn-33 Pp-4 Ps+23 Py+23 Q&-19 Q,+6 Q.+20 Q?-43 QE+3 QG+17 QI-40
QI.-6 QI?-10 QIn-24 QIy-25 QJ-20 QJ?-8 QM-11 QO-8 QQ-13 QR-10 QR?-7 QW-8 Qb-29 Qb?-15 Qd+35 Qe-15
Qey-8 Qf+16 Qh-17 Qh?-16 Qhu-9 Qj+19 Ql-22 Ql.-22 Qn-51 Qn.-27 Qo-14 Qp-8 Qq-24 Qs+12 Qu+22 Qud+7
Qup+24 Qv+6 Qy-10 Qy?-12 Qyn-25 R&-3 R&c+40 R&y+12 R,-9 R,I-17 R,R+22 R,s+26 R.+40 R?-22 RH+21
RI-28 RJ+52 RJ.+28 RK+49 RL+13 RM-4 RO-15 RP-4 RR+29 RT+25 RW+10 RW.+18 RWy+38 Ra+7 Rb+11 Rc+66
Rc&+20 Rc.+34 RcJ+18 Rcy+14 Rd+44 Re+46 Red+38 Rf-9 Rfy-22 Rh+8 Ri-6 Rj+21 Rk+21 Rl+14 Rn-32 Rn.-35
Rp+29 Rs-1 Rt-20 Rw+25 Ry+29 Ry&+13 Ry.+42 RyK+25 Ryc+25 Ryy+35 Rz+15 T&+16 T,-20 T.-57 T:-19 T?-35
TA+18 TC-13 TD-26 TH+17 TI+2 TI.-33 TJ-41 TJJ-33 TK+14 TL-11 TM+13 TN+21 TO-31 TOe-14 TP+19 TPK+19
TQ-5 TR+4 TT-33 TVI-11 TW+15 TWj+20 TWp-22 Ta-19 Tb-29 Tc+6 Td-36 Td,+23 Td.+6 Te+12 Tf+16 Th-39
ThC-6 Thb-32 Ti-5 Tj+10 Tk-6 Tl-2 Tl.-8 Tn-22 Tn.-12 To-7 Tp-27 Tr-13 Ts-38 Tsh-23 Tss+19 Tsy+8
Tt+27 Tts+36 Tu-5 Tud-5 Tv+5 Tw+30 Tx-47 Tx.-7 Ty-32 Ty.-37 Ty?-11 Tyc-20 Tye-21 Tyh-15 Tyy-15
V&-17 V&f+23 V,+4 V.-22 V?-19 VG-11 VI-2 VJ+10 VJ.+33 VR-12 VT+12 VV-12 VW+6 Vb-7 Vd+18 Ve+34 Vf-12
Vh-2 Vk-19 Vs-52 Vs.-24 Vv-24 Vw+42 VwR-12 Vy+40 Vy.+14 VyJ+35 VyV+4 Vyw+40 Vyy+30 W&-24 W&,+19
W&.-53 W&I-26 W&J-4 W&W+31 W&c+16 W&p-24 W&s-11 W&y+60 W,+6 W,&+19 W,.+22 W,R+28 W,s+55 W,v-28
W,y+12 W.+24 W:+8 W?-42 WA+35 WB+9 WD+27 WE-19 WG+18 WG,+30 WG.+63 WGG+13 WGJ+37 WGy+10 WH+20 WI-2
WI&-23 WI,-38 WI.+10 WJ+3 WJ,+20 WJ.-2 WJG+12 WJJ+29 WJM+34 WJW+7 WJv+35 WJy+20 WK+41 WM-10 WM&+15
WM.-35 WN-7 WO+48 WO&+1 WO.+47 WOG+30 WP+18 WR+14 WT+28 WV-6 WW+35 WW.+41 WWJ+31 Wb+33 Wc+9 Wd+1
WdJ-15 We-35 We.-8 Wf-17 Wf.-17 Wg-24 Wj+44 Wj,+10 Wjs+18 Wjt+8 Wjy+20 Wk-2 Wl+6 Wn-52 Wn.-36 Wo-21
Wp+16 Wp.+50 Wq-32 Ws+48 Ws&+28 Ws,+20 Ws.+68 WsG+28 WsJ-29 WsO+4 Wsp-25 Wss+49 Wsy+8 Wt+11 Wv-4
Ww-34 Wy+33 Wy&+37 Wy.+40 WyJ-24 WyW+41 Wyj+15 Wyp-6 Wys+27 Wz+20 Y&-39 Y,+12 Y.+10 YD-12 YH-8
YJ+31 YO+11 YV+2 YW+23 Yh+1 Yk+3 YkV+8 Ys-10 Yw-14 Yy-14 ^+18 ^&-44 ^&&-1 ^&,-40 ^&.-66 ^&?-18
^&D-32 ^&I-51 ^&J-32 ^&R-28 ^&n-12 ^&s-4 ^&x+36 ^&y-41 ^&z+17 ^,+2 ^,&-74 ^,,-57 ^,.-58 ^,A+25
^,B-8 ^,I-20 ^,J+39 ^,O-7 ^,R-23 ^,T-28 ^,V-36 ^,a+23 ^,b+26 ^,d+93 ^,e+6 ^,f-1 ^,i+27 ^,n-58
^,p-19 ^,s+33 ^,t+33 ^,v-35 ^,x+45 ^,y-5 ^,z+26 ^.-56 ^:-24 ^:,-44 ^:I-31 ^:s-25 ^?-118 ^A+6 ^A,+56
^A.-44 ^AR+43 ^As+59 ^Ay-28 ^B-22 ^B,-2 ^B.-23 ^BJ-8 ^BW-28 ^Bk-19 ^Bn-14 ^Bv-25 ^By+27 ^C+32 ^D+37
^D,+27 ^De+31 ^Dj+7 ^E-23 ^E&-20 ^E,-20 ^E.-54 ^EC-47 ^EG+14 ^EI-38 ^EJ-36 ^Ed-7 ^En-24 ^G+19
^G,-19 ^GI-38 ^Gj+24 ^H+67 ^H,+33 ^I-50 ^I&-48 ^I,-10 ^I.-128 ^I:-22 ^IE-31 ^II-41 ^IJ-84 ^IN+14
^IO+25 ^IW-49 ^Ia-1 ^Id+60 ^Ie-3 ^Ig-19 ^Ih+21 ^In-56 ^Ip-30 ^Iq-15 ^Is+15 ^Iw-35 ^Iy-22 ^Iz+39
^J+5 ^J&+52 ^J,+43 ^J.-106 ^J?-19 ^JB+7 ^JE-38 ^JI-49 ^JJ-17 ^JW+32 ^Jb-40 ^Jc+41 ^Jd+13 ^Je-21
^Jf+17 ^Jh+37 ^Jj-37 ^Jn-44 ^Jp-9 ^Js+47 ^Jt+34 ^Jy+10 ^K+4 ^L-31 ^M-50 ^M&+7 ^M.-46 ^MC-11 ^MI+1
^MJ-39 ^MM-37 ^MP-21 ^MW+25 ^Md-41 ^Me-20 ^Mf+1 ^Mg-7 ^Mh+8 ^Mn-32 ^Mp-23 ^Ms-67 ^Mv-14 ^Mz+45
^N-25 ^N.-41 ^Ns+26 ^O+11 ^O,-33 ^O.-31 ^OI+3 ^OJ-19 ^OV-34 ^OW+11 ^Oa-27 ^Oc-9 ^Od+12 ^Oe-20
^Oh+21 ^Oj+40 ^Ol-18 ^On-32 ^Op+26 ^Or-25 ^Os+78 ^Ox+30 ^Oy+30 ^Oz-5 ^P-4 ^P,-51 ^Q-35 ^Q&-6 ^Q?-27
^QI-23 ^Qe-13 ^Qh-17 ^Qn-30 ^Qo-14 ^Qy-36 ^R+17 ^R,+28 ^Re+39 ^Rf+34 ^Rn-17 ^Rs+26 ^T-54 ^T.-34
^Th-26 ^Tt+36 ^V-19 ^V&-11 ^Vy-42 ^W+27 ^W&-42 ^W,+10 ^W.-47 ^W?-27 ^WI-48 ^WJ-58 ^WV-35 ^Wd+36
^Wj+14 ^Ws+22 ^Y-14 ^Y.-45 ^Yk-22 ^a+61 ^aC+37 ^aO-21 ^ad+74 ^ai+29 ^aj+11 ^ap+63 ^az+29 ^b+29
^b,-31 ^bd+68 ^bj+30 ^c+24 ^c.-45 ^cT-37 ^d+73 ^d&+55 ^d,+75 ^d.+111 ^d:+48 ^dE-32 ^dJ-4 ^dO+37
^db+37 ^de-38 ^dh-14 ^dl-34 ^dn-21 ^dp-35 ^ds+15 ^dt-30 ^dy+34 ^e-9 ^e&-46 ^e,-15 ^e.-77 ^eI-33
^eJ+40 ^eT-22 ^ed+32 ^ef-37 ^eg-38 ^ej+13 ^el-25 ^ep+26 ^et+13 ^ey-25 ^ez-15 ^f+3 ^f&+30 ^f,-35
^f.-45 ^fA+39 ^fC+35 ^fH+22 ^fJ-69 ^fM-14 ^fT-25 ^fW-1 ^fd-45 ^fi-17 ^fn-33 ^fr-21 ^ft+41 ^fw-43
^fy-26 ^g-97 ^g,-20 ^g.-22 ^gI-26 ^gJ-20 ^gs-47 ^h-23 ^h&-26 ^h,-43 ^hI-31 ^hJ-37 ^hb+42 ^he-8
^hj+16 ^hp+1 ^i+21 ^iA+21 ^iI-42 ^iO-30 ^ia+1 ^id+41 ^if+20 ^ig-20 ^ih+52 ^ij+22 ^in-73 ^ip+40
^it+35 ^ix+43 ^iy-12 ^iz+23 ^j+45 ^j,+38 ^j?-41 ^jW+23 ^jd+48 ^jn-10 ^jt+29 ^jx+10 ^jy+23 ^k-35
^k&-21 ^k.-23 ^ks-44 ^ky+24 ^l-79 ^l&-15 ^l,-47 ^l.-41 ^l:-39 ^lI-29 ^lO-38 ^lT-34 ^lb-39 ^ld-46
^le-12 ^ll-50 ^lp-20 ^ly-17 ^n-62 ^n&-30 ^n.-124 ^n:+19 ^n?-22 ^nI-27 ^nJ-35 ^nK-27 ^nc-46 ^ns-11
^ny-30 ^o-61 ^o&-42 ^o,-12 ^o?-34 ^oA-17 ^oI-11 ^oJ-14 ^oT-23 ^oc-19 ^od-19 ^oi-25 ^ok-29 ^oo-31
^op-12 ^os-18 ^ov-6 ^oy-25 ^p-20 ^p&+11 ^p,-4 ^p.-74 ^p?-26 ^pI-45 ^pJ-54 ^pT-11 ^pW-13 ^pd+8 ^pe+6
^pj-25 ^pn-27 ^pp-19 ^ps-25 ^pw-26 ^py+41 ^q-85 ^q,-57 ^qI-22 ^qM-13 ^qN-17 ^qO-27 ^qW-25 ^qd-41
^qe-39 ^qh-22 ^qi-30 ^ql-3 ^qn-42 ^qo-25 ^qp-12 ^qs-26 ^qv-16 ^qw-6 ^qy-35 ^r-86 ^r,-49 ^r.-34
^r:-30 ^rT-34 ^ri-8 ^rs-29 ^ru-22 ^ry-9 ^s+23 ^s&+6 ^s,+1 ^s.-90 ^sE-48 ^sH+19 ^sI-65 ^sJ+65 ^sM-55
^sO+22 ^sP-21 ^sR+35 ^sV-36 ^sW+37 ^sb+5 ^sc-2 ^sd+54 ^se+60 ^sf+70 ^sg-51 ^sj+63 ^sn-23 ^sp-31
^ss-10 ^st+9 ^sw+28 ^sy+59 ^sz+22 ^t+99 ^t,+57 ^t.+35 ^tG+36 ^tH+31 ^tJ+16 ^tK+16 ^tR+11 ^ti+10
^tj+13 ^ts+61 ^tw+39 ^ty+48 ^u-25 ^up-11 ^v-61 ^v&-42 ^v,+13 ^v.-42 ^v:-18 ^vI-42 ^vJ-40 ^vM-12
^vO-39 ^vl-15 ^vq-22 ^vs-46 ^vy-28 ^w-61 ^w,-61 ^w.-46 ^w?-15 ^wI-20 ^wM-23 ^wb-13 ^wd-57 ^we-33
^wf-31 ^wh-17 ^ws-45 ^wu-39 ^wv-26 ^wy-52 ^x+123 ^x&+47 ^x,+61 ^x.+107 ^xD+37 ^xI+27 ^xJ+40 ^xO+37
^xd+15 ^xs+32 ^xy+64 ^y+14 ^y&-15 ^y,-30 ^y.-54 ^y?-19 ^yA-12 ^yE+13 ^yI-74 ^yJ-47 ^yM+21 ^yN-10
^yO+43 ^yP+28 ^yT+11 ^yW-8 ^ya+31 ^yc+26 ^yd+21 ^ye-25 ^yf+38 ^yh-2 ^yj-18 ^yl-52 ^yn+15 ^yp-33
^ys-54 ^yt+34 ^yu-28 ^yx+33 ^yy+18 ^yz+34 ^z+82 ^z,+64 ^z.+84 ^z:+40 ^zJ+45 ^zO+44 ^zy+31 a&+48
a,+39 a.+69 a:-30 aA+24 aC+21 aD+14 aG+37 aH+8 aI+62 aJ+28 aK+13 aM+45 aN-13 aO-26 aQ-16 aR+9 aT+46
aW+13 aa+19 ac+25 ad+53 ad&+47 ad,+19 ad.+59 adD+15 adG+17 adI+45 adJ+35 adM+42 adO+22 adR+6 adT+35
adW+12 add+40 adj+23 adp-8 ads+30 ady+39 adz+15 ae+35 af+42 ah-21 ai-6 ai.+12 aiJ+14 aid+27 ain-26
aip-29 aiy-16 aj+34 ajd+5 al+42 an-37 ap+40 app+30 as+28 at+10 au+15 av+13 aw+10 ay-3 ayd-25 az+34
az&+19 b&-5 b,-28 b,&-11 b,I+12 b.+27 b:+8 b?-27 bB+12 bC+31 bCO+25 bCs-19 bCy+18 bD+26 bG+12 bI+39
bJ+9 bK-26 bL-37 bLd-16 bM-12 bO-3 bQ+7 bR+19 bW-9 ba+11 bb-14 bc+39 bd+48 bd&+38 bd,-2 bd.+33
bd:+7 bdD+18 bdG+12 bdI+47 bdJ+45 bdL-9 bdO+12 bdj+24 bdl+43 bdn+27 bdp+4 bds-34 bdy+8 bdz+20 be-11
bf+17 bh+23 bi-24 bj+9 bjd+14 bl+18 bn-13 bn.-37 bp-14 bp.-20 bp?-16 bs-27 bu+7 bw+24 bx-25 by+37
bz+20 c&+8 c&t+18 c,+34 c,&-24 c,n+25 c,q+28 c.+30 c:-32 c:.-32 c?-35 cG+42 cG.+27 cH-18 cH.-22
cI+60 cII+16 cJ+40 cJ,+15 cJ.+64 cJG+21 cJH+20 cJI+33 cJJ+50 cJs+8 cJy+12 cK-3 cKJ+18 cKy+23 cM+36
cR+58 cR.+12 cRJ+29 cT-10 cW-29 cb+15 cc-35 cd+32 cd.+47 ce+27 ceI+15 cf+33 cf.-11 cfy+19 cg-40
cg.-15 ci+27 cj+34 cn+25 cp+12 cp.-28 cpJ+22 cpp+17 cq+37 cs-9 cs,+32 cs.-20 cs?-12 csJ-20 css+27
csy+1 ct+18 cw+64 cw.+28 cwJ-6 cwe+29 cwy+45 cx-18 cy+59 cy,+29 cy.+50 cyJ+49 cys+19 cyy+1 cz+26
d&+21 d&,-30 d&.+51 d&D+11 d&I-61 d&M+2 d&O+25 d&W+35 d&a+17 d&d+37 d&p+26 d&s+34 d&y-9 d&z+27
d,+29 d,&-20 d,.+3 d,D+30 d,G+33 d,I+19 d,J+74 d,O+15 d,Q+24 d,W-15 d,a+4 d,d-31 d,e-26 d,f-8 d,i+4
d,j+7 d,n+2 d,p+36 d,s+1 d,x+15 d,y+4 d,z+22 d.+76 d:+64 d:,+43 d:a+8 d?-57 dA+36 dB+12 dC-20 dD+47
dD.+39 dE-39 dG+40 dG.+12 dGs+5 dH-17 dHJ+6 dI&-15 dI,-8 dI.+8 dII+6 dIJ-5 dIy+25 dJ+14 dJ&+14
dJ,+27 dJ.+6 dJE-33 dJI-40 dJJ+41 dK-35 dL-34 dL.-27 dL?-15 dM+16 dM.+39 dN-14 dO+75 dO,+32 dO.+47
dOA+13 dOI+40 dOJ+25 dOp+44 dOz+5 dP-11 dQ+15 dR+23 dR.-16 dT-21 dV-6 dW+9 dW,+13 dW.+7 da+10
dai-17 db+35 dc-42 dd+5 dd.-37 de-12 de&-19 de,-25 de.-5 ded+51 df-13 dfs+4 dg-43 dg.-33 dgJ-31
dh-24 dhb+22 dj+56 dj,+7 dj.+31 dl+1 dl,+28 dl.+5 dld-34 dn+6 dn,-46 dn.-7 do-14 dp+21 dp&-21
dp,-24 dp.-34 dpI+16 dpJ-11 dpp-10 dps-10 ds-30 ds,+15 ds.-10 dsL-34 dss-8 dt-28 du+24 dv+7 dw-7
dwy+11 dx+19 dy+4 dy&-21 dy,-15 dy.+68 dyG+11 dyI+30 dyJ+30 dyO+14 dyj+3 dys+8 dyy+23 dz+32 dz,+6
dz.+19 e&-5 e&.-18 e&I-22 e&W-9 e,-10 e,&-14 e,.-40 e,I-49 e,s+42 e,y-29 e.-22 e:+14 e?-28 eC+20
eD+36 eG+53 eGs+17 eH+42 eI-20 eI,-46 eI.-60 eII-27 eIp-27 eIs+31 eJ+20 eJ,+1 eJ.-29 eJI+29 eJJ+46
eJd+40 eJw-20 eK-39 eL-25 eM-24 eM.-36 eN-15 eN.-14 eO+36 eOI+27 eQ+7 eR+17 eT-31 eT?-7 eTy-22
eV+16 eW.-39 eWG+29 eWJ+42 eWO+14 eY+38 ea+43 eb+37 ebd+25 ec+28 ec&+28 ed+40 ed&+9 ed,-11 ed.+72
edI-58 edJ+15 edO+4 edg-31 edl-26 edp-2 eds-52 edy+44 edz+8 ee+5 ee.+22 ef+50 ef&+24 efH+16 efW+20
eg-62 eg&-8 eg.-27 egp-15 eh-6 ei+27 ej+19 ej&-17 ejI+15 ejO+36 ejW+9 ejb+11 ejd+12 ejy+23 ejz+38
ek+35 el-51 eld-30 en-16 en,-25 en.-43 ep+17 ep&+7 ep,+16 ep.-12 eq+14 es,+49 es.-35 esW+29 et+19
ets+13 ev-13 ew-39 ew.-42 ex-20 ey+22 ey&-23 ey?-8 eyW-16 ez+7 ez,+7 ez.-16 f&+18 f&f+19 f,+11
f,&-9 f.+10 f?-19 fA+45 fAs+48 fC+53 fCI+21 fCJ+34 fCs+20 fD-6 fG+38 fH+20 fH.-1 fHJ+12 fHs+16
fHw+34 fHy+10 fI-6 fI.-14 fIJ+2 fId-45 fJ+21 fJ.-27 fJJ+15 fJs+26 fK+39 fM-23 fMw-12 fO+4 fP+33
fQ+21 fR+29 fT+17 fT.-28 fV+69 fV.-30 fVJ+35 fVy+52 fW+18 fW&+28 fW.+28 fWG+30 fWW+12 fWy+3 fY+25
fb-7 fc+30 fc,+16 fc.+32 fcJ+29 fcf+13 fd-52 fd,-22 fdf+4 fds+56 fe+5 ff+33 fh-10 fi-19 fj+26 fk+25
fks+37 fky+16 fl+21 fn-25 fn.-48 fp-25 fp&+9 fp.-28 fps-24 fq-34 fr-21 fs+34 fs.+27 fsK+20 fss-2
ft+36 ft.+35 fts+8 fv-17 fw+20 fy+23 fy,-4 fy.-33 fyH+31 fyJ+28 fyK+29 fyc+28 fyn-34 fz-20 g&-20
g&J-9 g&g-8 g&y-15 g,-11 g,.-18 g,s-21 g.-88 g?-18 gD-26 gI-14 gI&-5 gI,+16 gI.-7 gJ-69 gJ.-39
gJJ-29 gJs-31 gK-13 gR+3 gV-29 gW-53 gW.-14 gc-12 gd-13 ge-18 gf-12 gg-24 gg.-19 gj+27 gn-17 gn.-17
gp-26 gp.-15 gs-70 gs.-24 gsW-32 gv-5 gw-25 gw.-10 gy-25 h&-21 h&.-33 h&z+6 h,-5 h,&-8 h,c-22 h.-23
h:-4 h?-26 hA+7 hC+18 hCL-6 hCs+4 hD+29 hG+24 hH-28 hI-11 hI&-23 hI.-37 hII-27 hJ-13 hJ.-39 hL-19
hM-30 hO+1 hQ+6 hR+47 hT-6 hV-12 hW-17 ha+21 hb+40 hb.-14 hbC+32 hbd+50 hbp-26 hbz+11 hc+13 hd+29
hd.-15 hd?-19 hdO+38 hds+31 he+2 heI-8 hg+30 hh-12 hi-2 hj+22 hjb+19 hl-3 hn+3 hn.-26 hp-2 hp&+9
hp,-17 hp.-22 hpJ-33 hpO+22 hps+22 hs-30 hsH-18 hu+5 hv-25 hw-1 hy+26 hyD+18 hz+22 i&+21 i,+17
i,T-8 i.+25 i:-35 i?-24 iA+16 iD+27 iG+23 iH+3 iI-2 iJ+43 iJd+14 iK+11 iL+13 iM-2 iN-19 iNO-17 iO-3
iO.-30 iP+23 iQ-22 iR+21 iT-9 iV+24 iW+12 ia+3 iaI+9 iaO-27 iad+13 iaj+5 ian-33 ias+3 ic+13 id+63
id&+36 id,+18 id.+51 idI+19 idO+25 idy+39 ie+20 if+18 ifH+20 ig-23 ih+17 ih,-12 ihd+42 ii-24 ij+10
ijd+12 ijx+4 ik+42 iks+9 il+1 in-41 in&-32 in,-13 in.-25 ins-24 io-13 ip+22 ip.-29 ipy+40 iq+29
is+25 it+14 its+18 ity+29 iw+49 ix+38 ix,+2 ix.+35 ixO+14 ixs+1 ixy+21 iy+55 iyd+9 iyn-19 iz+38
iz&+23 j&-7 j&J+21 j&W-28 j&c+32 j&f+21 j,+31 j,&+27 j,a+1 j,d+18 j,i+5 j,j+20 j,y+10 j.+64 j:-26
j?-61 jC+38 jD+4 jG+42 jGy+18 jH+9 jI+23 jI,+16 jJ-24 jJ,+37 jJ.+29 jK+32 jKs+21 jM-16 jO+9 jO,+6
jO.+37 jQ+17 jR+33 jV-22 jW+13 jW.+53 jWG+19 jWO+2 jWs+32 jWy+8 ja+11 jb+28 jbd+27 jc+54 jd+55
jd&+7 jd,+31 jd.+42 jdO+9 jed+16 jf+42 jh+11 jhb+10 ji+16 jj+19 jj.+8 jl+19 jn-20 jn,+33 jn.-46
jp+37 jp,+22 js+60 js&+21 js,+20 js.+26 jss+1 jsy+12 jt+36 jt.+32 jw+28 jx+22 jx.+10 jy+46 jy,+22
jy.+35 jya+5 jyc+29 jz+29 jz.+38 jzG+13 k&-49 k&.-33 k,-3 k,&-10 k.-9 k?-23 kH+12 kHd+15 kI-6 kO-30
kQ+16 kR+26 kR.+19 kV+11 kW-39 kd+35 ke-10 kf-3 kn-15 ko-23 kp-8 kq-22 ks-27 ks.-19 kss-2 ksy+12
kw-20 ky+27 l&-26 l&d-15 l,-48 l,.-28 l,I-12 l,J+22 l,L-19 l,M-17 l,T-13 l,b-13 l,e-8 l,h-23 l,p-12
l,y-17 l.-73 l:-39 lA-13 lC-20 lI-46 lI,-19 lI.-31 lJ-30 lL-23 lM-31 lO-62 lO,-31 lOb-31 lR-16
lT-42 lTO-28 lTd-18 lTe-10 lTh-29 lTy-24 lW-15 lb-64 lbL-16 lbd-44 ld-86 ld,-36 ld.-42 ldl-40 le-24
lf-4 lh-39 li+4 li,-19 lj+34 ll-55 ll,-32 ll.-14 llI-12 llL-17 llO-25 llT-24 llb-16 ln-32 ln.-27
lp-39 ls-23 ly-41 lyl-17 n-67 n&+5 n&,-29 n&.-40 n&I-8 n&J-12 n&y-12 n,+2 n,&+4 n,.-21 n,A+10
n,I-23 n,J+12 n,N-37 n,Q-29 n,R-13 n,T-12 n,W-20 n,a+28 n,c-32 n,e-37 n,f-32 n,i-23 n,j-29 n,l-34
n,n-27 n,o-9 n,p+17 n,q-12 n,s+40 n,y-3 n.-67 n:+14 n:e-21 n?-32 nA+26 nD-22 nG+18 nH+29 nI-43
nI.-33 nJ+31 nJ.+17 nK-28 nN-45 nO-17 nP-19 nQ+5 nR-10 nT-17 nV-19 nW+35 na+43 nc+15 nc.-46 nd-49
nd.-37 ne-8 nf+7 ni+15 nj-34 nk+25 nl-34 nn-52 nn.-22 no-15 np-3 np.-41 nq-24 ns+45 ns,-13 ns.-40
nsJ+23 nsq-26 nt+35 nv-16 nw+27 nx+23 ny-8 nyc-30 o&-36 o&?-22 o,-27 o,&-6 o,T-8 o,n-6 o.-61 o:-6
o:v-5 o?-49 oA-17 oAs-17 oH-25 oI-15 oI?-12 oJ-41 oJ?-21 oK-22 oQ-12 oT-20 oT?-15 oTs-16 oTy-12
oV-16 oW-19 oc-29 ocs-19 od-21 oe-18 of-21 oh-18 ohs-18 oi-21 ok-29 oks-25 on-17 oo-40 ooh-18 op-12
op?-12 oq-10 os-48 os?-9 osy-10 ot-34 ov-7 ox-36 oy-33 oy,-7 oy?-25 oyc-22 p&+5 p&,-27 p&.-65
p&?-17 p&I-7 p&d+20 p&e-34 p&p-25 p&y+30 p,+26 p,&+1 p,.-21 p,I-4 p,J-24 p,R+27 p,a+29 p,e+18 p,i+4
p,n-8 p,p-15 p,z-11 p.-27 p:+8 p:.-5 p?-36 pA-11 pC+15 pD+31 pE-44 pEd-35 pG+51 pH-4 pI+1 pI,+8
pI.+19 pII-17 pIJ+28 pIp-17 pJ-12 pJ,-8 pJ.-18 pJJ-38 pJe-8 pK-23 pL-31 pM-51 pN-27 pO+45 pO&+22
pQ+22 pR+30 pT-16 pTs-11 pV+12 pW-24 pa+7 pb+1 pc+29 pd+22 pd,+43 pe+24 pe.-5 peI-26 peJ-22 ped+41
pep-17 pez+14 pf+24 pg+2 pg.-20 ph-1 phb+7 pi+13 pj-3 pj&-22 pl-29 pll-16 pn+1 pn,-20 pn.-1 pp-26
pp.-21 ppG+30 ppJ-24 ppd-19 ppp+30 ps-5 ps,+33 ps.+6 psL-8 pss+8 psy-11 pt+50 pu+34 pv-23 pw-19
px+3 py+24 py,+20 py.+32 pyJ-27 pya-11 pyc+15 pyt+34 pz+13 q&-38 q,-96 q,.-33 q,f-22 q,n-18 q,s-27
q,v-9 q.-70 q?-33 qA-41 qD-17 qG-31 qH-33 qI-43 qI,-21 qJ-48 qK-45 qM-13 qMI-13 qN-23 qN,-12 qNy-12
qO-48 qP-24 qR-25 qR.+1 qT-22 qV-20 qW-65 qWI-21 qY-27 qb-27 qc-53 qd-53 qd,-25 qd.-27 qe-47 qep-26
qf-58 qg-6 qh-33 qhp-22 qi-45 qj-37 qjn-31 qk-11 ql-3 ql,-3 qn-48 qn,-41 qn.-12 qo-26 qo,-25 qo.-14
qp-35 qs-87 qsI-11 qsJ-26 qt-58 qu-14 qv-16 qv,-13 qw-15 qx+5 qy-82 qy,-25 qyI-17 qyW-19 qyn-31
qyo-11 r&-23 r,-54 r,I-24 r,T-24 r,s-29 r.-83 r:-23 r:.-28 r?-20 rC-32 rD-15 rH-30 rI-31 rJ-12
rK-21 rL-23 rQ-6 rR-8 rT-46 rTL-12 rTs-21 rV-16 ra-47 rb-26 rd-49 rh-18 ri-17 rn-23 rp-41 rr-7
rs-52 rsC-19 rsy-26 ru-25 rx-19 ry-67 ryp-12 s&+7 s&.-51 s&I+28 s&J+36 s&M-19 s&a+4 s&c-9 s&f+41
s&j+6 s&s-28 s&t+24 s&y+48 s,+59 s,&-6 s,,+12 s,.-10 s,B+7 s,I-19 s,J+27 s,R+22 s,T+23 s,W+37
s,c+22 s,e+19 s,f+16 s,j+32 s,n-40 s,p+19 s,q-29 s,s+2 s,t+25 s,y+47 s.+17 s:-15 s:y+6 s?-61 sA+48
sB+43 sC+2 sC.+28 sCy-22 sD-4 sE+20 sEI-35 sEd-28 sEg-12 sG+33 sG.+38 sGy+22 sH+41 sH&+34 sH,+21
sH.-23 sH?-15 sI+13 sI&-1 sI,-37 sI.-54 sII-61 sIJ+20 sIW+12 sIg-18 sIp-40 sIy+23 sJ+64 sJ&-12
sJ,+12 sJ.-3 sJI-28 sJJ+71 sJW+41 sJc+36 sJh+19 sJy+31 sK+6 sK&+12 sK.+39 sL-44 sL.-37 sM-22 sM.+35
sMI-12 sMW-37 sMg-14 sN-26 sO+47 sO&+33 sOG+15 sP+3 sPI-29 sQ+16 sR-1 sRc+16 sRy+5 sT+36 sV-22
sVy+34 sW+47 sW&+27 sW,+41 sW.+13 sWG+42 sWJ+75 sWK-7 sWM-21 sWO+54 sWW+46 sWg-32 sWj+15 sWp+13
sWs+15 sWy+41 sY+20 sa-20 sai+19 say-29 sb-7 sb,+32 sb.-43 sbd+22 sc+55 sc,+32 sc.-10 sc?-21 scJ+48
scK-20 scg-30 scw+26 scy+46 sd-10 sd.+53 sdy-22 se+3 se&+57 se.-30 seI-26 seJ+56 seW+56 sef+44
seg-18 sej+17 sep-4 sey-33 sf+47 sf.+38 sfH-8 sfV-2 sfW+49 sfc+42 sfk+11 sfy+28 sg-60 sg&-21 sg.-42
sgJ-29 sgV-20 sgg-20 sh-9 shO+26 shb+36 shd-3 shp+7 si+35 sj+33 sj&+30 sj,+22 sj.+9 sjW+62 sk+27
sl+24 sn-7 sn&+15 sn,+33 sn.-46 snI-36 so-30 sp+6 sp&+11 sp,-18 sp.-33 spW-27 spy-13 sq-15 ss+20
ss&-9 ss,+16 ss.+13 ssG+9 ssI-65 ssJ-15 ssO+19 ssW+79 ssc+38 sse-16 ssf+45 ssj+4 ssn-1 sss-34
ssy+33 st+18 st.+26 sty+6 su+6 sv-6 sw+37 sw.-50 sx-23 sy+50 sy&-12 sy,+44 sy.+59 syH+23 syI-8
syJ+20 syP+13 syW-5 syc-13 syd+35 syh-32 syy+43 sz-26 sz,+4 sz.-17 szJ+1 szy+27 t&+44 t&y+24 t,+68
t,B+37 t,J+3 t,j+21 t,q+29 t,s+19 t,t+23 t,w+31 t.+100 t?-30 tA+5 tB+37 tD+19 tG+35 tGs+26 tH+38
tHJ+7 tHw+31 tI-14 tJ+61 tJ.+43 tJy+18 tK+24 tKs+16 tM+13 tQ+14 tR+17 tR,+5 tT+35 tV+13 tW+59 tb+7
tc+10 td+34 td.+28 te+55 tf+27 ti+10 tik+9 tj+19 tj.+24 tjs+16 tk+9 tn+24 tp+47 tq+29 ts+70 ts&+35
ts,+31 ts.+44 tsK+17 tsj+18 tsn+12 tss+43 tt+25 tv+19 tw+61 twe+36 ty+38 ty,+10 ty.+1 tyG+12 tyj+4
tys+32 tyy+23 tz+29 u&-12 u,-39 u,&-13 u.-12 u?-19 uC-18 uJ-40 uM-22 ub-14 ubC-18 ud-5 ud,-28 ud.+7
ue-14 uf-32 up-10 up,-29 up.+24 us+20 ut+24 uts+24 uy-25 uz-15 v&-42 v&.-37 v&M-23 v&d-18 v&f-8
v&p-13 v&v-23 v&y-16 v,-13 v,&-21 v,.-30 v,B-9 v,s+6 v,v-24 v,y+11 v.-61 v:-18 v:,-18 v?-17 vB-22
vC+26 vG-20 vH-30 vI-15 vI&-27 vI,-34 vIJ-26 vJ-8 vJ&-25 vJ,-22 vJ.-34 vK+23 vM+22 vM&+28 vO-40
vO&-30 vO.+18 vOI-24 vOs-21 vT-15 vW+36 vW.-3 vb-9 vc-41 vd-22 vf-32 vj-26 vl-15 vn-15 vp-26 vq-30
vs-32 vs,-21 vs.-36 vv-34 vw-33 vy-6 vy.-23 vy?-10 vyJ+35 vyO-29 w&+27 w,-51 w,s-53 w,y-38 w.-36
w?-15 wB-15 wC-25 wE-20 wG+22 wH-29 wI-33 wI.-16 wJ-20 wJ.+6 wK-12 wM.-24 wO-49 wR+8 wR.+26 wRW-11
wT-1 wV-24 wW-64 wW,-23 wW.+16 wb-3 wbp-16 wc-40 wd-60 wd,-51 we-7 we.+39 wed-33 wez+23 wf-31 wf.+8
wfy-22 wg-4 wh-39 whp-17 wi-24 wn+39 wp-44 ws-110 ws.-31 wsf+8 wss-14 wsy-32 wsz-47 wu-39 wup-29
wv-45 wv,-24 wv.-36 ww-24 wy-79 wy,+4 wyI-34 wyp-4 wz-39 wz.+16 x&+66 x&.+35 x&x+24 x,+68 x,.+35
x,D+11 x,J+18 x,T+31 x,z+15 x.+127 x?-37 xD+18 xD.+13 xG+15 xG.+15 xI+38 xI.+31 xJ+11 xJ.-21 xM+1
xO+43 xO.+38 xOJ+16 xOd+15 xR+2 xT+34 xW+10 xb+20 xc+8 xd+17 xdO+12 xf+19 xj+10 xn+31 xn.+24 xp+37
xs+38 xs,+15 xx+34 xy+20 xy.-4 xyI+26 xyJ+14 xys+10 xz+11 y&-16 y&,+26 y&.-2 y&H+4 y&J+28 y&a+31
y&c+17 y&d-21 y&f+28 y&v-17 y&y-27 y,&-2 y,,-25 y,G+22 y,I+15 y,J-16 y,Q+21 y,R+24 y,T-7 y,W+13
y,c+18 y,i+2 y,n-13 y,o-13 y,p+23 y,s-22 y,w-35 y,y-39 y,z+12 y.+26 y:-34 y?-67 yA+15 yA,+25 yB-29
yB.-23 yBs-28 yC+44 yD+5 yD,+14 yD.+4 yDz+10 yE-18 yEd-26 yEf+22 yG+60 yG.+16 yGs+40 yH+39 yH.-6
yHJ+18 yI-3 yI&-8 yI,-30 yI.-13 yII-38 yIJ-39 yIe-31 yIn-27 yJ+38 yJ&-24 yJ,+8 yJ.-17 yJ?-22 yJI-33
yJJ+36 yJP+9 yJW+28 yJe-2 yJy+21 yK+46 yK,+21 yK.+40 yL-24 yM-13 yM.-29 yNI+8 yO-14 yO.+33 yOI-29
yOd+12 yOe+25 yP+47 yPK+31 yPj+21 yQ+19 yR+7 yR.+21 yT-2 yTy-20 yV+22 yV.+19 yW+23 yW,-19 yW.-24
yWH+5 yWI+28 yWJ+23 yWp+49 yWq-26 yWs+13 yWy-3 ya+11 yad+8 yaj+1 yb-4 yb.+21 yc+1 yc&-25 yc,+25
yc.-39 yc?-20 ycG+9 ycH-9 ycI+34 ycJ+58 ycR+39 ycd+32 yce+12 ycj+30 ycp+26 ycs+3 ycw+59 ycy+32 yd+6
yd,+39 yd.+21 ydh-8 ye-17 ye,+16 ye.-39 ye?-20 yeC+18 yeI-54 yeJ-35 yeb+29 yed-19 yej+8 yes+44
yey-44 yf+26 yf.-13 yf?-8 yfC+1 yfH+21 yfJ+42 yfd+34 yfs+24 yg+21 yg.-15 yh-40 yhb-18 yhd-35 yi-22
yj+56 yj.+29 yj?-30 yjh+5 yjs+26 yk+10 ykH+15 yl-3 yl,-17 yl.+34 yld-26 yn,+12 yn.-54 ynI-21 yo-21
yo.-11 yp-8 yp&+2 yp.-22 ypC-32 ypJ+26 yq-37 yr-16 ys+5 ys,-22 ys.+17 ysW-1 ysc-34 yse-10 ysj+5
yss+17 ysy-25 yt+26 yt,+7 yt.-5 ytG+16 ytH+7 ytJ+32 yts+29 yu-4 yv-9 yw+25 yw.+23 yx-5 yx.-21 yy&-9
yy,+26 yy.-6 yy?-8 yyI-36 yyJ+24 yyW+24 yyc+20 yyk+15 yyw+40 yyy+34 yz+5 yz.+37 z&+36 z&d+16 z,+64
z,&+6 z,.+29 z,I+31 z,a+5 z,i+9 z,j+5 z,n+40 z,s+9 z,x+15 z,y+4 z,z+15 z.+86 z:+43 z:,+18 z:M+26
z?-35 zD+13 zG+25 zG.+20 zH+2 zI+8 zJ+42 zJ,+18 zJ.-2 zM+41 zO+56 zO.+52 zOI+25 zR+23 zW+34 za+5
zb+23 zc+8 zd+24 ze-6 ze.-22 zf+18 zi+14 zj+24 zj,+1 zj.+35 zk+7 zn+53 zp+42 zs+21 zs&+18 zs,+17
zw+10 zx+20 zy+54 zy,+13 zy.+48 zz+28
"""
